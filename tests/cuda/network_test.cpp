// The whole network on the GPU backend: the same training as on the CPU device, and the same bits
// whether a step runs kernel by kernel or as a replayed graph.
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/train/train_step.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

constexpr int kSteps = 5;  // more than the warm-ups before a graph is recorded
constexpr double kRate = 1e-3;

struct Training {
  std::vector<double> losses;
  std::vector<float> start, weights, gradients;  // gradients: of the first step
  bool captured = false;
};

UNetConfig config_of(bool dropout) {
  UNetConfig config{.base_width = 4, .depth = 2};
  if (dropout) config.dropout = 0.5;
  return config;
}

void round_to_tf32(const Tensor& values) {
  std::vector<float> rounded = values.to_vector<float>();
  for (float& v : rounded)
    v = std::bit_cast<float>((std::bit_cast<std::uint32_t>(v) + 0x1000u) & 0xFFFFE000u);
  values.copy_from(rounded);
}

Training train(Device& device, const UNetConfig& config, TrainStep::Mode mode,
               bool rounded_start = false) {
  const TestBatch images;
  UNet net(config);
  net.parameters().allocate(device, 1);
  if (rounded_start) round_to_tf32(net.parameters().flat_values());
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou+0.5*bce", Region::batch, 1);
  TrainStep step(device, net, adam, objective, 3, mode);
  const Batch batch = images.batch();

  Training result;
  result.start = net.parameters().flat_values().to_vector<float>();
  for (int i = 0; i < kSteps; ++i) {
    step.upload(batch);
    step.start(kRate);
    result.losses.push_back(step.finish().loss);
    if (i == 0) result.gradients = net.parameters().flat_grads().to_vector<float>();
  }
  result.weights = net.parameters().flat_values().to_vector<float>();
  result.captured = step.captured();
  return result;
}

double largest(const std::vector<float>& values) {
  double result = 0;
  for (float v : values) result = std::max(result, std::abs(double{v}));
  return result;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double result = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    result = std::max(result, std::abs(double{a[i]} - b[i]));
  return result;
}

double rms_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - b[i], 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

}  // namespace

TEST_CASE("unet: some Adam steps on the GPU backend equal those on the CPU device", "[cuda]") {
  for (bool dropout : {false, true})
    for (DeviceRequest request : gpu_devices()) {
      INFO(request.backend << " on " << request.device << ", dropout " << dropout);
      request.precision = ConvPrecision::fp32;
      const auto cpu = make_cpu_device(2);
      const auto device = open_device(request);
      const Training expected = train(*cpu, config_of(dropout), TrainStep::Mode::eager);
      const Training found = train(*device, config_of(dropout), TrainStep::Mode::eager);
      CHECK(found.start == expected.start);
      CHECK(largest_difference(found.gradients, expected.gradients) <=
            2e-5 * largest(expected.gradients));
      for (int i = 0; i < kSteps; ++i)
        CHECK(found.losses[i] == Approx(expected.losses[i]).epsilon(1e-4));
      // Where a gradient is nearly 0, Adam divides noise by noise: single weights may differ by a
      // step, most may not.
      CHECK(largest_difference(found.weights, expected.weights) <= 2 * kSteps * kRate);
      CHECK(rms_difference(found.weights, expected.weights) <=
            0.01 * rms_difference(expected.start, expected.weights));
    }
}

TEST_CASE("unet: replayed steps are the eager steps, bit for bit", "[cuda]") {
  for (bool dropout : {false, true})
    for (DeviceRequest request : gpu_devices()) {
      // Each with one of the two precisions.
      request.precision = dropout ? ConvPrecision::tf32 : ConvPrecision::fp32;
      INFO(request.backend << " on " << request.device << ", dropout " << dropout);
      const auto device = open_device(request);
      const Training eager = train(*device, config_of(dropout), TrainStep::Mode::eager);
      const Training replayed = train(*device, config_of(dropout), TrainStep::Mode::automatic);
      CHECK_FALSE(eager.captured);
      CHECK(replayed.captured);
      CHECK(replayed.losses == eager.losses);
      CHECK((replayed.weights == eager.weights));
    }
}

TEST_CASE("unet: in tf32 a step differs from fp32 by what the rounding of operands does",
          "[cuda]") {
  // Wide enough that tensor cores compute every convolution but the first and the head.
  const UNetConfig config{.base_width = 8, .depth = 2};
  for (const DeviceRequest& request : gpu_devices()) {
    if (request.backend == "cudnn") continue;
    INFO(request.backend << " on " << request.device);
    const auto train_in = [&](ConvPrecision precision, TrainStep::Mode mode, bool rounded) {
      const auto device = open_device(request);
      device->context().precision = precision;
      return train(*device, config, mode, rounded);
    };
    constexpr auto kEager = TrainStep::Mode::eager;
    const Training exact = train_in(ConvPrecision::fp32, kEager, false);
    const Training rounded = train_in(ConvPrecision::fp32, kEager, true);
    const Training eager = train_in(ConvPrecision::tf32, kEager, false);
    const Training replayed = train_in(ConvPrecision::tf32, TrainStep::Mode::automatic, false);
    CHECK((eager.weights != exact.weights));
    // Of the six operands of a layer's three passes two are weights: rounding all of them alike
    // differs by a root of three, and by chance.
    const double of_weights = rms_difference(rounded.gradients, exact.gradients);
    CHECK(rms_difference(eager.gradients, exact.gradients) <= 2 * std::sqrt(3) * of_weights);
    CHECK(std::abs(eager.losses[0] - exact.losses[0]) <= 1e-3 * exact.losses[0]);
    CHECK(replayed.captured);
    CHECK(replayed.losses == eager.losses);
    CHECK((replayed.weights == eager.weights));
  }
}

}  // namespace glia::test
