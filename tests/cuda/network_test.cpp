// The whole network on the GPU backend: the same training as on the CPU device, and the same bits
// whether a step runs kernel by kernel or as a replayed graph.
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

Training train(Device& device, const UNetConfig& config, TrainStep::Mode mode) {
  const TestBatch images;
  UNet net(config);
  net.parameters().allocate(device, 1);
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou+0.5*bce", Region::batch, 1);
  TrainStep step(device, net, adam, objective, 3, mode);
  Batch batch;
  batch.size = images.shape[0];
  batch.height = images.shape[1];
  batch.width = images.shape[2];
  batch.channels = images.shape[3];
  batch.images = images.images;
  batch.masks = images.masks;

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

}  // namespace glia::test
