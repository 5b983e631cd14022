// A convolution that writes its result through a map gives the bits of the map of its sums, by
// every kernel; and a network that is not trained is then the same as with passes of its own.
#include <algorithm>
#include <cmath>

#include "engine/base/rng.h"
#include "engine/ops/ops.h"
#include "engine/runtime/run.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/data/slices.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

/// A layer, and which of the kernels is to compute it.
struct Layer {
  Shape x, w;
  ConvOverride how;
};

const Layer kLayers[] = {
    {{2, 9, 17, 32}, {40, 3, 3, 32}, {.algorithm = ConvAlgorithm::naive}},
    {{2, 9, 17, 32}, {40, 3, 3, 32}, {.algorithm = ConvAlgorithm::tiled}},
    {{1, 6, 5, 64}, {12, 3, 3, 64}, {.algorithm = ConvAlgorithm::mma, .tile = 0}},
    {{1, 6, 5, 64}, {12, 3, 3, 64}, {.algorithm = ConvAlgorithm::mma, .splits = 3}},
    {{2, 9, 17, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 0}},
    {{2, 9, 17, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 3}},
    {{1, 9, 17, 128}, {24, 3, 3, 128}, {.algorithm = ConvAlgorithm::halo, .splits = 2}},
    {{2, 9, 17, 3}, {64, 3, 3, 3}, {}},
    {{1, 7, 5, 5}, {7, 3, 3, 5}, {}},
    {{1, 7, 5, 16}, {1, 1, 1, 16}, {}},
};

/// As kernels compute it, in one rounding; NaN stays.
float mapped(const std::vector<float>& map, std::size_t channels, std::size_t c, float x) {
  const float y = std::fma(map[c], x, map[channels + c]), floor = map[2 * channels + c];
  return y < floor ? floor : y;
}

}  // namespace

TEST_CASE("mapped results: the map of the sums, rounded once, by every kernel", "[ops]") {
  on_our_gpus([](Device& device, ConvPrecision precision) {
    for (const Layer& layer : kLayers) {
      const bool of_floats = layer.how.algorithm == ConvAlgorithm::tiled;
      if (precision == ConvPrecision::bf16 && of_floats) continue;
      device.context().gpu_conv = layer.how;
      const DType type = device.kernels().activations;
      INFO("x " << layer.x.str() << ", w " << layer.w.str() << ", tile " << layer.how.tile);
      const std::int64_t channels = layer.w[0];
      const Tensor x = normal(device, layer.x, type, 1), w = normal(device, layer.w, type, 2);
      const Tensor b = normal(device, {channels}, DType::f32, 3);
      const Tensor map = normal(device, {MapRow::count, channels}, DType::f32, 4);
      const ConvGeometry g =
          conv2d_geometry(layer.x, layer.w, {.padding = Padding::same(layer.w[1], layer.w[2])});
      const auto run_into = [&](const Tensor& y, const ConstView& y_map) {
        run<&KernelTable::conv2d_forward>(
            device, {.geometry = g, .x = x, .w = w, .b = b, .y_map = y_map, .y = y});
        return y.to_vector<float>();
      };
      // Sums are kept in float32 where y is.
      const auto sums = run_into(Tensor::empty(device, g.y_shape()), {});
      const auto of_map = map.to_vector<float>();
      std::vector<float> expected;
      const auto count = static_cast<std::size_t>(channels);
      for (std::size_t i = 0; i < sums.size(); ++i)
        expected.push_back(mapped(of_map, count, i % count, sums[i]));
      const Tensor rounded = Tensor::empty(device, g.y_shape(), type);
      rounded.copy_from(expected);
      const Tensor dense = Tensor::empty(device, g.y_shape(), type);
      CHECK((run_into(dense, map) == rounded.to_vector<float>()));
      // And into a slice of channels, whose neighbours stay.
      const Tensor wide = Tensor::zeros(device, g.y_shape().with_channels(channels + 3), type);
      CHECK((run_into(wide.channels(1, channels), map) == rounded.to_vector<float>()));
      for (const std::int64_t beside : {std::int64_t{0}, channels + 1})
        for (const float v : wide.channels(beside, 1).to_vector<float>()) CHECK(v == 0);
    }
  });
}

TEST_CASE("mapped results: a NaN stays one", "[ops]") {
  const auto device = open_device({.device = "cpu", .backend = "emu"});
  const Tensor x = Tensor::empty(*device, {1, 1, 2, 1}), w = Tensor::empty(*device, {1, 1, 1, 1});
  const Tensor map = Tensor::empty(*device, {3, 1});
  x.copy_from({NAN, 1});
  w.copy_from({1});
  map.copy_from({1, 0, 0});
  Tape tape(*device, Tape::Mode::off);
  const auto y = ops::conv2d_mapped(tape, x, w, {}, {}, map).to_vector<float>();
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == 1);
}

TEST_CASE("mapped results: who cannot refuses, and so does a tape that records", "[cuda]") {
  const auto cpu = make_cpu_device(1);
  const auto emu = open_device({.device = "cpu", .backend = "emu"});
  for (Device* device : {cpu.get(), emu.get()}) {
    const Tensor x = Tensor::zeros(*device, {1, 1, 2, 1}), w = Tensor::zeros(*device, {1, 1, 1, 1});
    const Tensor map = Tensor::zeros(*device, {3, 1});
    Tape off(*device, Tape::Mode::off), on(*device);
    CHECK(error_of([&] { ops::conv2d_mapped(on, x, w, {}, {}, map); }) ==
          "conv2d_mapped: has no gradient; use conv2d on a tape that records");
    CHECK(error_of([&] { ops::conv2d_mapped(off, x, w, {}, {}, map); }) ==
          (device == emu.get()
               ? ""
               : "unsupported: conv2d_forward: the backend 'cpu' does not map results"));
    CHECK(error_of([&] { ops::conv2d_mapped(off, x, w, {}, {}, x); }) ==
          "conv2d_mapped: the map is [1, 1, 2, 1], expected [3, 1]");
  }
}

TEST_CASE("mapped results: a network judges as by passes of its own", "[cuda]") {
  on_our_gpus([](Device& device, ConvPrecision precision) {
    const TestBatch images;
    UNet net({.base_width = 4, .depth = 2});
    net.parameters().allocate(device, 1);
    Sequence draw(5, 1);
    for (const nn::Parameter& p : net.parameters().buffers()) {
      std::vector<float> values(static_cast<std::size_t>(p.shape.numel()));
      const bool mean = p.name.ends_with("running_mean");
      for (float& v : values) v = static_cast<float>(draw.uniform() - (mean ? 0.5 : -0.5));
      p.value.copy_from(values);
    }
    const Tensor x = Tensor::empty(device, images.shape);
    x.copy_from(images.images);
    const auto logits = [&](Tape::Mode mode) {
      Tape tape(device, mode);
      nn::Pass pass{.tape = tape, .training = false};
      return net.forward(pass, x).to_vector<float>();
    };
    const auto fused = logits(Tape::Mode::off), separate = logits(Tape::Mode::record);
    CHECK(std::any_of(separate.begin(), separate.end(), [](float v) { return v != 0; }));
    if (precision != ConvPrecision::bf16) {
      CHECK((fused == separate));
      return;
    }
    // One rounding of each activation in place of two.
    double largest = 0, apart = 0;
    for (std::size_t i = 0; i < fused.size(); ++i) {
      largest = std::max(largest, std::abs(double{separate[i]}));
      apart = std::max(apart, std::abs(double{fused[i]} - separate[i]));
    }
    CHECK(apart > 0);
    CHECK(apart < 0.03 * largest);
  });
}

}  // namespace glia::test
