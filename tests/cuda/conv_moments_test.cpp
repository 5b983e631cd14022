// The moments that a convolution takes of its results are those of its sums before they are
// rounded, by every kernel, also where the mean is far larger than what differs from it.
#include <cmath>

#include "engine/ops/ops.h"
#include "engine/runtime/run.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

/// A layer, which of the kernels is to compute it, and whether that takes moments itself.
struct Layer {
  Shape x, w;
  ConvOverride how;
  bool in_epilogue = true;
};

const Layer kLayers[] = {
    {{2, 9, 17, 32}, {40, 3, 3, 32}, {.algorithm = ConvAlgorithm::naive}, false},
    {{2, 13, 17, 32}, {40, 3, 3, 32}, {.algorithm = ConvAlgorithm::tiled}},
    {{1, 3, 5, 32}, {70, 3, 3, 32}, {.algorithm = ConvAlgorithm::tiled, .splits = 1}},
    {{3, 9, 17, 32}, {40, 3, 3, 32}, {.algorithm = ConvAlgorithm::tiled, .splits = 2}, false},
    {{1, 6, 5, 64}, {12, 3, 3, 64}, {.algorithm = ConvAlgorithm::mma, .tile = 0}},
    {{3, 13, 15, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::mma, .tile = 1}},
    {{3, 13, 15, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::mma, .tile = 4}},
    {{1, 6, 5, 64}, {12, 3, 3, 64}, {.algorithm = ConvAlgorithm::mma, .splits = 3}, false},
    {{2, 9, 17, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 0}},
    {{2, 21, 40, 64}, {136, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 0}},
    {{2, 11, 31, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 3}},
    {{1, 9, 17, 128}, {24, 3, 3, 128}, {.algorithm = ConvAlgorithm::halo, .splits = 2}, false},
    {{2, 9, 17, 3}, {64, 3, 3, 3}, {}},
    {{3, 30, 37, 3}, {64, 3, 3, 3}, {}},
    {{1, 7, 5, 5}, {7, 3, 3, 5}, {}},
};

std::vector<double> moments_of(const std::vector<float>& y, std::size_t channels) {
  std::vector<double> moments(2 * channels);
  const std::size_t pixels = y.size() / channels;
  const auto rows = static_cast<double>(pixels);
  for (std::size_t i = 0; i < y.size(); ++i) moments[i % channels] += y[i] / rows;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double d = y[i] - moments[i % channels];
    moments[channels + i % channels] += d * d;
  }
  return moments;
}

/// Runs a layer on random operands.
struct Call {
  Device& device;
  const Tensor x, w, b;
  const ConvGeometry g;

  Call(Device& on, const Layer& layer, double mean)
      : device(on),
        x(normal(on, layer.x, on.kernels().activations, 1, mean)),
        w(normal(on, layer.w, on.kernels().activations, 2, mean)),
        b(normal(on, {layer.w[0]}, DType::f32, 3, 0)),
        g(conv2d_geometry(layer.x, layer.w, {.padding = Padding::same(3, 3)})) {}

  Tensor result(DType type, const View& moments = {}) const {
    const Tensor y = Tensor::empty(device, g.y_shape(), type);
    run<&KernelTable::conv2d_forward>(
        device, {.geometry = g, .x = x, .w = w, .b = b, .y = y, .moments = moments});
    return y;
  }
  std::vector<double> moments(DType type, std::vector<float>* y = nullptr) const {
    const Tensor found = Tensor::empty(device, {2, g.K}, DType::f64);
    const Tensor of = result(type, found.view());
    if (y) *y = of.to_vector<float>();
    return found.to_vector<double>();
  }
};

/// Whether the context computes the layer by the kernel that is asked for.
bool suits(const Device& device, const Layer& layer) {
  return device.kernels().activations == DType::f32 || layer.how.algorithm != ConvAlgorithm::tiled;
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected,
                double rows) {
  const std::size_t channels = expected.size() / 2;
  for (std::size_t c = 0; c < channels; ++c) {
    INFO("channel " << c);
    const double spread = std::sqrt(expected[channels + c] / rows);
    // Sums of a warp and means are float32.
    CHECK(std::abs(found[c] - expected[c]) <= 4e-7 * (std::abs(expected[c]) + spread));
    CHECK(found[channels + c] == Approx(expected[channels + c]).epsilon(1e-5));
  }
}

}  // namespace

TEST_CASE("conv moments: those of the sums, by every kernel and at any mean", "[ops]") {
  on_our_gpus([](Device& device, ConvPrecision) {
    for (const Layer& layer : kLayers)
      for (const double mean : {0.0, 4.0}) {
        if (!suits(device, layer)) continue;
        device.context().gpu_conv = layer.how;
        INFO("x " << layer.x.str() << ", w " << layer.w.str() << ", tile " << layer.how.tile
                  << ", mean " << mean);
        const Call call(device, layer, mean);
        std::vector<float> y;
        const auto found = call.moments(DType::f32, &y);
        CHECK((y == call.result(DType::f32).to_vector<float>()));
        check_near(found, moments_of(y, static_cast<std::size_t>(call.g.K)),
                   static_cast<double>(call.g.N * call.g.P * call.g.Q));
        CHECK((found == call.moments(DType::f32)));
        if (device.kernels().activations == DType::f32) continue;
        // What is stored is rounded; the moments are of what it was before, where a kernel has it.
        const auto stored = call.result(DType::bf16).to_vector<float>();
        const auto of_stored = moments_of(stored, static_cast<std::size_t>(call.g.K));
        const auto rounded = call.moments(DType::bf16);
        CHECK((rounded == found) == layer.in_epilogue);
        if (!layer.in_epilogue)
          check_near(rounded, of_stored, static_cast<double>(call.g.N * call.g.P * call.g.Q));
      }
  });
}

TEST_CASE("conv moments: a NaN is one in its channels' moments and no others'", "[ops]") {
  on_our_gpus([](Device& device, ConvPrecision) {
    for (const Layer& layer : kLayers) {
      if (!suits(device, layer)) continue;
      device.context().gpu_conv = layer.how;
      INFO("x " << layer.x.str() << ", w " << layer.w.str());
      const Call call(device, layer, 0);
      auto b = call.b.to_vector<float>();
      b[1] = NAN;
      call.b.copy_from(b);
      const auto channels = static_cast<std::size_t>(call.g.K);
      const auto found = call.moments(device.kernels().activations);
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::isnan(found[i]) == (i % channels == 1));
    }
  });
}

}  // namespace glia::test
