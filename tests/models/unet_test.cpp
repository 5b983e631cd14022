// The whole network: shapes, names, gradients against float64, repeatability, memory, overfitting.
#include "models/unet/unet.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/rng.h"
#include "engine/optim/optimizer.h"
#include "engine/train/loss.h"
#include "models/registry.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/models/test_batch.h"
#include "benchmarks/reference/table.h"

using namespace glia;
using glia::test::TestBatch;

namespace {

std::unique_ptr<Device> reference_device() {
  return std::make_unique<Device>("reference", reference::table(),
                                  std::make_shared<SystemAllocator>(), 1);
}

/// Forward and backward of one batch in training; returns the loss.
double step(Device& device, UNet& net, const TestBatch& batch, std::int64_t number = 0) {
  net.parameters().clear_grads();
  Tape tape(device);
  nn::Pass pass{.tape = tape,
                .training = true,
                .seed = 3,
                .step = Tensor::from<std::int64_t>(device, {1}, std::array{number})};
  const Tensor x = batch.tensor<float>(device, batch.shape, batch.images);
  const Tensor t = batch.tensor<float>(device, batch.shape.with_channels(1), batch.masks);
  const auto value = Objective::parse("iou", Region::batch, 1)(tape, net.forward(pass, x), t);
  tape.backward(value.loss);
  net.parameters().finish_grads();
  return value.loss.item();
}

UNetConfig tiny(nn::NormKind norm, UpPath up) {
  return {.base_width = 4, .depth = 2, .norm = norm, .up = up};
}

/// The loss of `net`'s network in float64 with one parameter moved by `delta`.
double reference_loss(Device& f64, const UNetConfig& config, UNet& net, const TestBatch& batch,
                      std::size_t parameter, std::int64_t element, double delta) {
  UNet twin(config);
  twin.parameters().allocate(f64, 0);
  for (std::size_t i = 0; i < twin.parameters().parameters().size(); ++i)
    twin.parameters().parameters()[i].value.copy_from(
        net.parameters().parameters()[i].value.to_vector<float>());
  twin.parameters().parameters()[parameter].value.data<double>()[element] += delta;
  Tape tape(f64, Tape::Mode::off);
  nn::Pass pass{.tape = tape, .training = true, .seed = 3};
  const Tensor x = batch.tensor<double>(f64, batch.shape, batch.images);
  const Tensor t = batch.tensor<double>(f64, batch.shape.with_channels(1), batch.masks);
  return ops::iou_loss(tape, twin.forward(pass, x), t).loss.item();
}

}  // namespace

TEST_CASE("unet: every gradient agrees with float64 central differences", "[unet]") {
  const auto config = GENERATE(tiny(nn::NormKind::batch, UpPath::transpose),
                               tiny(nn::NormKind::group, UpPath::upsample),
                               tiny(nn::NormKind::none, UpPath::transpose));
  CAPTURE(config.to_json().dump());
  const auto cpu = make_cpu_device(2);
  const auto f64 = reference_device();
  const TestBatch batch;
  UNet net(config);
  net.parameters().allocate(*cpu, 11);
  const double loss = step(*cpu, net, batch);
  REQUIRE(loss == Approx(reference_loss(*f64, config, net, batch, 0, 0, 0)).epsilon(1e-5));

  // 1e-5 keeps nearly all ReLUs and maxima on their side of the kink, and the error of the
  // difference itself near 1e-10.
  constexpr double kDelta = 1e-5;
  const auto& all = net.parameters().parameters();
  Sequence random(5, 1);
  int significant = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto gradient = all[i].value.grad().to_vector<float>();
    double largest = 0;
    for (float g : gradient) largest = std::max<double>(largest, std::abs(g));
    for (int sample = 0; sample < 2; ++sample) {
      const auto element = static_cast<std::int64_t>(random.below(gradient.size()));
      const double up = reference_loss(*f64, config, net, batch, i, element, kDelta);
      const double down = reference_loss(*f64, config, net, batch, i, element, -kDelta);
      const double expected = (up - down) / (2 * kDelta);
      CAPTURE(all[i].name, element);
      CHECK(gradient[static_cast<std::size_t>(element)] ==
            Approx(expected).margin(1e-4 * largest + 1e-7));
      significant += std::abs(expected) > 1e-6;
    }
  }
  CHECK(significant > static_cast<int>(all.size()));
}

TEST_CASE("unet: parameter names are stable", "[unet]") {
  UNet net(tiny(nn::NormKind::batch, UpPath::transpose));
  std::vector<std::string> names;
  for (const auto& p : net.parameters().parameters()) names.push_back(p.name);
  const std::vector<std::string> first(names.begin(), names.begin() + 6);
  CHECK(first == std::vector<std::string>{"encoder.0.conv1.weight", "encoder.0.conv2.weight",
                                          "encoder.0.norm1.weight", "encoder.0.norm1.bias",
                                          "encoder.0.norm2.weight", "encoder.0.norm2.bias"});
  for (const char* name : {"bottleneck.conv2.weight", "decoder.1.up.weight", "decoder.1.up.bias",
                           "decoder.0.conv1.weight", "head.weight", "head.bias"})
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  CHECK(net.parameters().buffers().front().name == "encoder.0.norm1.running_mean");
}

TEST_CASE("unet: base 64 and depth 4 have the published number of parameters", "[unet]") {
  UNet net({.base_width = 64});
  CHECK(net.parameters().count() == 31037633);
}

TEST_CASE("unet: configuration survives JSON, and nonsense is refused", "[unet]") {
  const UNetConfig seed = UNetConfig::seed();
  CHECK(make_model(seed.to_json())->config() == seed.to_json());
  CHECK(error_of([] {
          make_model({{"model", "resnet"}});
        }) == "checkpoint: found the model 'resnet', this program has: unet");
  auto json = seed.to_json();
  json["depth"] = 90;
  CHECK(error_of([&] { make_model(json); }) == "--depth: found 90, expected 1 to 7");
  json.erase("depth");
  CHECK(error_of([&] { make_model(json); }).find("depth") != std::string::npos);
}

TEST_CASE("unet: sizes that do not halve are refused with the mend", "[unet]") {
  const auto cpu = make_cpu_device(1);
  UNet net(tiny(nn::NormKind::batch, UpPath::transpose));
  net.parameters().allocate(*cpu, 0);
  Tape tape(*cpu, Tape::Mode::off);
  nn::Pass pass{.tape = tape};
  CHECK(error_of([&] {
          net.forward(pass, Tensor::zeros(*cpu, {1, 18, 16, 3}));
        }) ==
        "unet: found images of 18x16, expected multiples of 4 (2^depth); pad them or choose a "
        "smaller --depth");
  CHECK(error_of([&] {
          net.forward(pass, Tensor::zeros(*cpu, {1, 16, 16, 1}));
        }) == "unet: found images [1, 16, 16, 1], expected [N, H, W, 3]");
}

TEST_CASE("unet: the same bits with 1, 2 and 3 threads and in every run", "[unet]") {
  const TestBatch batch;
  UNetConfig config = tiny(nn::NormKind::batch, UpPath::transpose);
  config.dropout = 0.4;
  std::vector<float> expected;
  for (int threads : {1, 2, 3, 2}) {
    const auto cpu = make_cpu_device(threads);
    UNet net(config);
    net.parameters().allocate(*cpu, 1);
    step(*cpu, net, batch, 5);
    const auto gradients = net.parameters().flat_grads().to_vector<float>();
    if (expected.empty()) expected = gradients;
    CHECK(gradients == expected);
  }
}

TEST_CASE("unet: a steady step asks the system for no memory", "[unet]") {
  auto caching = std::make_shared<CachingAllocator>(std::make_unique<SystemAllocator>());
  const auto cpu = make_cpu_device(2);
  Device device("cpu", cpu->kernels(), caching, 2);
  const TestBatch batch;
  UNet net(tiny(nn::NormKind::batch, UpPath::transpose));
  net.parameters().allocate(device, 1);
  step(device, net, batch);
  step(device, net, batch);
  const auto requests = caching->system_requests();
  const auto workspace = device.context().workspace.size();
  const auto live = caching->live_bytes();
  step(device, net, batch);
  CHECK(caching->system_requests() == requests);
  CHECK(device.context().workspace.size() == workspace);
  CHECK(caching->live_bytes() == live);
}

TEST_CASE("unet: overfits one batch to an IoU above 0.95", "[unet]") {
  const auto cpu = make_cpu_device(2);
  const TestBatch batch;
  UNet net(tiny(nn::NormKind::batch, UpPath::transpose));
  net.parameters().allocate(*cpu, 2);
  optim::Optimizer adam({}, net.parameters());
  double loss = 0;
  for (int i = 0; i < 150; ++i) {
    loss = step(*cpu, net, batch);
    adam.step(1e-2);
  }
  CHECK(std::exp(-loss) > 0.95);
}

TEST_CASE("unet: the notebook's variant trains, with dropout and without norm", "[unet]") {
  const auto cpu = make_cpu_device(2);
  const TestBatch batch;
  UNetConfig config = UNetConfig::seed();
  config.base_width = 4;
  config.depth = 2;
  UNet net(config);
  net.parameters().allocate(*cpu, 4);
  optim::Optimizer adam({}, net.parameters());
  const double first = step(*cpu, net, batch);
  double last = first;
  for (std::int64_t i = 1; i < 60; ++i) {
    adam.step(3e-3);
    last = step(*cpu, net, batch, i);
  }
  CHECK(last < first - 0.2);
}
