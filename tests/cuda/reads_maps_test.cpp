// Convolutions by patches read their input through a map as if it had been written down: the same
// bits, in both passes that read it, also at the edges, where what the map makes of 0 is not 0.
#include <cmath>

#include "engine/ops/ops.h"
#include "engine/runtime/run.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/data/slices.h"

namespace glia::test {

namespace {

/// A layer, and which of the kernels by patches is to compute it.
struct Layer {
  Shape x, w;
  ConvOverride how{.algorithm = ConvAlgorithm::halo};
  std::int64_t first = 0, pitch = 0;  // x is the channels from there on of a wider tensor
};

const Layer kLayers[] = {
    {{1, 8, 16, 64}, {64, 3, 3, 64}},
    {{2, 9, 17, 64}, {72, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 0}},
    {{2, 11, 31, 64}, {64, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo, .tile = 3}},
    {{1, 3, 5, 192}, {24, 3, 3, 192}, {.algorithm = ConvAlgorithm::halo, .tile = 0}},
    {{1, 17, 18, 128}, {64, 3, 3, 128}},
    {{1, 9, 17, 128}, {64, 3, 3, 128}, {.algorithm = ConvAlgorithm::halo, .splits = 2}},
    {{2, 9, 17, 64}, {64, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo}, 64, 192},
    {{2, 9, 17, 64}, {64, 3, 3, 64}, {.algorithm = ConvAlgorithm::halo}, 3, 71},  // one by one
};

/// Scales of both signs, shifts well above 0 and floors of 0, -infinity and others.
Tensor random_map(Device& device, std::int64_t channels) {
  std::vector<float> rows = normal(device, {2, channels}, DType::f32, 7, 1).to_vector<float>();
  constexpr float kFloors[] = {0, -INFINITY, 0.5f};
  for (std::int64_t c = 0; c < channels; ++c) rows.push_back(kFloors[c % 3]);
  return Tensor::from<float>(device, {MapRow::count, channels}, rows);
}

/// A layer's operands on a device, x as it is and as the map makes it.
struct Call {
  Device& device;
  const Tensor whole, whole_map, x, map, written, w, dy;
  const ConvGeometry g;

  Call(Device& on, const Layer& layer)
      : device(on),
        whole(normal(on, layer.x.with_channels(layer.pitch > 0 ? layer.pitch : layer.x[3]),
                     on.kernels().activations, 1)),
        whole_map(random_map(on, whole.shape()[3])),
        x(whole.channels(layer.first, layer.x[3])),
        map(whole_map.channels(layer.first, layer.x[3])),
        written(Tensor::empty(on, layer.x, on.kernels().activations)),
        w(normal(on, layer.w, on.kernels().activations, 2)),
        dy(normal(on, layer.x.with_channels(layer.w[0]), on.kernels().activations, 3)),
        g(conv2d_geometry(layer.x, layer.w, {.padding = Padding::same(3, 3)})) {
    run<&KernelTable::materialise>(on, {.x = x, .map = map, .y = written});
  }

  std::vector<float> forward(const Tensor& of, const ConstView& through = {}) const {
    const Tensor y = Tensor::empty(device, g.y_shape(), device.kernels().activations);
    const Tensor moments = Tensor::empty(device, {2, g.K}, DType::f64);
    run<&KernelTable::conv2d_forward>(
        device,
        {.geometry = g, .x = of, .x_map = through, .w = w, .y = y, .moments = moments.view()});
    auto result = y.to_vector<float>();
    for (const double moment : moments.to_vector<double>())
      result.push_back(static_cast<float>(moment));
    return result;
  }
  std::vector<float> wgrad(const Tensor& of, const ConstView& through = {}) const {
    const Tensor dw = Tensor::empty(device, w.shape(), DType::f32);
    run<&KernelTable::conv2d_wgrad>(device,
                                    {.geometry = g, .dy = dy, .x = of, .x_map = through, .dw = dw});
    return dw.to_vector<float>();
  }
};

}  // namespace

TEST_CASE("reads maps: the bits of a tensor that the map was written to", "[ops]") {
  int forwards = 0, wgrads = 0;
  on_our_gpus([&](Device& device, ConvPrecision precision) {
    for (const Layer& layer : kLayers) {
      device.context().gpu_conv = layer.how;
      INFO("x " << layer.x.str() << ", w " << layer.w.str() << ", tile " << layer.how.tile
                << ", pitch " << layer.pitch);
      const Call call(device, layer);
      const bool forward = device.reads_map(kernel_of<Conv2dForward>(), call.g);
      const bool wgrad = device.reads_map(kernel_of<Conv2dWgrad>(), call.g);
      CHECK(forward == (precision != ConvPrecision::fp32));
      CHECK(wgrad == (precision == ConvPrecision::bf16 && layer.w[0] % 64 == 0));
      if (forward) {
        CHECK((call.forward(call.x, call.map) == call.forward(call.written)));
        CHECK((call.forward(call.x, call.map) != call.forward(call.x)));
        ++forwards;
      }
      if (wgrad) {
        CHECK((call.wgrad(call.x, call.map) == call.wgrad(call.written)));
        CHECK((call.wgrad(call.x, call.map) != call.wgrad(call.x)));
        ++wgrads;
      }
    }
  });
  CHECK(forwards >= 16);
  CHECK(wgrads >= 6);
}

TEST_CASE("reads maps: a NaN of the input is one in the windows that it is in", "[cuda]") {
  on_our_gpus([](Device& device, ConvPrecision precision) {
    if (precision == ConvPrecision::fp32) return;
    device.context().gpu_conv.algorithm = ConvAlgorithm::halo;
    const Call call(device, {{1, 9, 17, 64}, {64, 3, 3, 64}});
    auto values = call.whole.to_vector<float>();
    values[(4 * 17 + 8) * 64 + 5] = NAN;
    call.whole.copy_from(values);
    const auto y = call.forward(call.x, call.map);
    for (int h = 0; h < 9; ++h)
      for (int v = 0; v < 17; ++v)
        CHECK(std::isnan(y[static_cast<std::size_t>((h * 17 + v) * 64)]) ==
              (std::abs(h - 4) <= 1 && std::abs(v - 8) <= 1));
  });
}

TEST_CASE("reads maps: where a kernel cannot, the map is refused", "[cuda]") {
  on_our_gpus([](Device& device, ConvPrecision) {
    const char* name = device.kernels().name;
    for (const auto algorithm : {ConvAlgorithm::automatic, ConvAlgorithm::naive}) {
      device.context().gpu_conv.algorithm = algorithm;
      // A thread an element; few channels.
      const std::int64_t C = algorithm == ConvAlgorithm::naive ? 64 : 8;
      const Call call(device, {{1, 8, 16, C}, {64, 3, 3, C}});
      CHECK_FALSE(device.reads_map(kernel_of<Conv2dForward>(), call.g));
      CHECK(error_of([&] { call.forward(call.x, call.map); }) ==
            fmt::format("unsupported: conv2d_forward: the backend '{}' reads no maps", name));
      CHECK(error_of([&] { call.wgrad(call.x, call.map); }) ==
            fmt::format("unsupported: conv2d_wgrad: the backend '{}' reads no maps", name));
      // And by the kernels themselves, whoever calls them.
      const Tensor y = Tensor::empty(device, call.g.y_shape(), device.kernels().activations);
      CHECK(error_of([&] {
              device.kernels().conv2d_forward(
                  device.context(),
                  {.geometry = call.g, .x = call.x, .x_map = call.map, .w = call.w, .y = y});
            }).find("reads no maps") != std::string::npos);
    }
  });
}

}  // namespace glia::test
