// Convolutions of our GPU kernels with activations in bf16, by every tile; and what is rounded.
#include <fmt/format.h>

#include "engine/runtime/device.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"
#include "tests/ops/op_case.h"
#include "benchmarks/judge/tolerance.h"
#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

// Of kernels/cuda/conv/conv_choice.h, which builds without GPU kernels do not have.
constexpr int kSmallestTile = 4;

/// Each case with one tile, in turn, and the sums in parts where it is the choice's own, -1.
void check_in_turn(std::vector<Case> cases) {
  int tile = -1;
  for (Case& test : cases) {
    test.condition = kTruncationCondition;
    test.gpu_conv = {.algorithm = ConvAlgorithm::mma, .tile = tile, .splits = tile < 0 ? 3 : 0};
    test.text += fmt::format(", tile {}", tile);
    tile = tile == kSmallestTile ? -1 : tile + 1;
  }
  check_cases_in_bf16(cases);
}

Tensor tensor_of(Device& device, const Shape& shape, const Values& values,
                 DType dtype = DType::bf16) {
  Tensor tensor = Tensor::empty(device, shape, dtype);
  store(values, tensor);
  return tensor;
}

/// `count` numbers of which bf16 has no more than eight bits, or all that float32 has.
Values numbers(std::size_t count, double scale = 1) {
  Values values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(scale * (static_cast<double>(i * 37 % 101) - 50) / 64);
  return values;
}

}  // namespace

TEST_CASE("bf16 on GPUs: conv2d, windows, strides and paddings", "[ops]") {
  check_in_turn(cases::find("conv2d.tf32-windows"));
}

TEST_CASE("bf16 on GPUs: conv2d, channels that are copied 16 bytes at a time", "[ops]") {
  check_in_turn(cases::find("conv2d.bf16-pieces"));
}

TEST_CASE("bf16 on GPUs: conv2d, channels that are copied one by one", "[ops]") {
  check_in_turn(cases::find("conv2d.bf16-windows"));
}

TEST_CASE("bf16 on GPUs: conv2d, rings of slices and splits of the sums", "[ops]") {
  check_in_turn(cases::find("conv2d.tf32-large"));
}

TEST_CASE("bf16 on GPUs: conv_transpose2d", "[ops]") {
  check_in_turn(cases::find("conv_transpose2d.tf32"));
  check_in_turn(cases::find("conv_transpose2d.bf16"));
}

TEST_CASE("bf16 on GPUs: conv2d by patches of its input", "[ops]") {
  std::vector<Case> cases = cases::find("conv2d.patches");
  for (Case& test : cases::find("conv2d.odd-patches")) cases.push_back(std::move(test));
  int tile = 0;
  for (Case& test : cases) {
    test.condition = kTruncationCondition;
    test.gpu_conv = {.algorithm = ConvAlgorithm::halo, .tile = tile, .splits = tile < 0 ? 2 : 0};
    test.text += fmt::format(", tile {}", tile);
    tile = tile == 0 ? 3 : tile == 3 ? -1 : 0;
  }
  // Two chunks of dy's channels, and of x's: the second split starts at the second.
  for (const char* two : {"w [128, 3, 3, 64]", "x [1, 5, 6, 128]"})
    for (Case test : cases::find("conv2d.patches"))
      for (const int each : {0, 3}) {
        if (test.text.find(two) == std::string::npos) continue;
        test.condition = kTruncationCondition;
        test.gpu_conv = {.algorithm = ConvAlgorithm::halo, .tile = each, .splits = 2};
        cases.push_back(test);
      }
  check_cases_in_bf16(cases);
}

TEST_CASE("bf16 on GPUs: the naive kernels", "[ops]") {
  std::vector<Case> cases = cases::find("conv_transpose2d.operands");
  for (Case& test : cases::find("conv2d.operands")) cases.push_back(test);
  for (Case& test : cases) test.gpu_conv.algorithm = ConvAlgorithm::naive;
  check_cases_in_bf16(cases);
}

TEST_CASE("bf16 on GPUs: a result is rounded once, after all is summed up", "[ops]") {
  // 1 + 2^-9 is no number of bf16, but 2^-9 is: what is left when 1 is taken away afterwards.
  constexpr std::int64_t kDepth = 256;
  Values x(kDepth), w(8 * kDepth);
  x[0] = 1, x[1] = 0x1p-9;
  for (std::size_t c = 0; c < kDepth; ++c) w[c] = 1;
  const ConvGeometry g = conv2d_geometry({1, 1, 1, kDepth}, {8, 1, 1, kDepth}, {});
  on_each_device_in_bf16([&](Device& device) {
    const Tensor weight = tensor_of(device, {8, 1, 1, kDepth}, w);
    const Tensor y = Tensor::empty(device, {1, 1, 1, 8}, DType::bf16);
    const auto forward = [&](const Values& input, double bias) {
      const Tensor b = tensor_of(device, {8}, Values(8, bias), DType::f32);
      device.kernels().conv2d_forward(device.context(),
                                      {.geometry = g,
                                       .x = tensor_of(device, {1, 1, 1, kDepth}, input).view(),
                                       .w = weight.view(),
                                       .b = b.view(),
                                       .y = y.view()});
      return load(y)[0];
    };
    Values cancelled = x;
    cancelled[kDepth - 1] = -1;
    for (const int splits : {1, 2, 4}) {
      device.context().gpu_conv = {.splits = splits};
      INFO(splits << " splits");
      CHECK(forward(x, 0) == 1);
      CHECK(forward(x, -1) == 0x1p-9);
      CHECK(forward(cancelled, 0) == 0x1p-9);
    }
    // A gradient that is added to what is there: dx = -1 + (1 + 2^-9).
    Values dy(8), column(8 * kDepth);
    dy[0] = 1, dy[1] = 0x1p-9;
    for (std::size_t k = 0; k < 8; ++k) column[k * kDepth] = 1;
    const Tensor dx = tensor_of(device, {1, 1, 1, kDepth}, Values(kDepth, -1));
    for (const ConvAlgorithm algorithm : {ConvAlgorithm::automatic, ConvAlgorithm::naive}) {
      store(Values(kDepth, -1), dx);
      device.context().gpu_conv = {.algorithm = algorithm};
      device.kernels().conv2d_dgrad(device.context(),
                                    {.geometry = g,
                                     .dy = tensor_of(device, {1, 1, 1, 8}, dy).view(),
                                     .w = tensor_of(device, {8, 1, 1, kDepth}, column).view(),
                                     .dx = dx.view(),
                                     .write = Write::accumulate});
      CHECK(load(dx)[0] == 0x1p-9);
      CHECK(load(dx)[1] == -1);
    }
  });
}

TEST_CASE("bf16 on GPUs: nothing but operands and results is rounded", "[ops]") {
  const ConvGeometry g = conv2d_geometry({1, 1, 2, 8}, {8, 1, 1, 8}, {});
  on_each_device_in_bf16([&](Device& device) {
    Values ones(16, 1), dy(16);
    dy[0] = 1, dy[8] = 0x1p-12;
    const Tensor x = tensor_of(device, {1, 1, 2, 8}, ones);
    const Tensor gradient = tensor_of(device, {1, 1, 2, 8}, dy);
    const Tensor dw = Tensor::empty(device, {8, 1, 1, 8}, DType::f32);
    const Tensor db = Tensor::empty(device, {8}, DType::f32);
    device.kernels().conv2d_wgrad(
        device.context(),
        {.geometry = g, .dy = gradient.view(), .x = x.view(), .dw = dw.view(), .db = db.view()});
    CHECK(load(dw)[0] == 1 + 0x1p-12);
    CHECK(load(db)[0] == 1 + 0x1p-12);
    // A bias, which is float32, and a result in float32.
    const Tensor y = Tensor::empty(device, {1, 1, 2, 8}, DType::f32);
    const Tensor b = tensor_of(device, {8}, Values(8, 0x1p-20), DType::f32);
    device.kernels().conv2d_forward(device.context(),
                                    {.geometry = g,
                                     .x = x.view(),
                                     .w = tensor_of(device, {8, 1, 1, 8}, Values(64, 1)).view(),
                                     .b = b.view(),
                                     .y = y.view()});
    CHECK(load(y)[0] == 8 + 0x1p-20);
  });
}

TEST_CASE("bf16 on GPUs: a gradient in float32 is rounded as it is read", "[ops]") {
  for (const std::int64_t outputs : {1, 3, 8})
    for (const std::int64_t window : {1, 3}) {
      const Shape x_shape{2, 5, 6, 16}, w_shape{outputs, window, window, 16};
      const ConvGeometry g =
          conv2d_geometry(x_shape, w_shape, {.padding = Padding::same(window, window)});
      INFO(w_shape.str());
      on_each_device_in_bf16([&](Device& device) {
        device.context().gpu_conv = {.tile = kSmallestTile};
        const Values exact = numbers(static_cast<std::size_t>(g.y_shape().numel()), 1 / 3.0);
        const Tensor wide = tensor_of(device, g.y_shape(), exact, DType::f32);
        const Tensor narrow = tensor_of(device, g.y_shape(), exact);
        const Tensor x =
            tensor_of(device, x_shape, numbers(static_cast<std::size_t>(x_shape.numel())));
        const Tensor w =
            tensor_of(device, w_shape, numbers(static_cast<std::size_t>(w_shape.numel())));
        Values dx[2], dw[2];
        for (int i = 0; i < 2; ++i) {
          const Tensor& dy = i == 0 ? wide : narrow;
          const Tensor input = Tensor::empty(device, x_shape, DType::bf16);
          const Tensor weight = Tensor::empty(device, w_shape, DType::f32);
          device.kernels().conv2d_dgrad(
              device.context(),
              {.geometry = g, .dy = dy.view(), .w = w.view(), .dx = input.view()});
          device.kernels().conv2d_wgrad(
              device.context(),
              {.geometry = g, .dy = dy.view(), .x = x.view(), .dw = weight.view()});
          dx[i] = load(input), dw[i] = load(weight);
        }
        CHECK(dx[0] == dx[1]);
        CHECK(dw[0] == dw[1]);
      });
    }
}

TEST_CASE("bf16 on GPUs: windows beyond the tables' bits are computed without them", "[ops]") {
  const ConvGeometry g = conv2d_geometry({1, 20, 3, 3}, {2, 17, 1, 3}, {});
  on_each_device_in_bf16([&](Device& device) {
    const Tensor y = Tensor::empty(device, g.y_shape(), DType::bf16);
    device.kernels().conv2d_forward(device.context(),
                                    {.geometry = g,
                                     .x = tensor_of(device, g.x_shape(), Values(180, 1)).view(),
                                     .w = tensor_of(device, g.w_shape(), Values(102, 0.5)).view(),
                                     .y = y.view()});
    CHECK(load(y) == Values(static_cast<std::size_t>(g.y_shape().numel()), 25.5));
  });
}

TEST_CASE("bf16 on GPUs: bf16 operands without the context's bf16 are refused", "[ops]") {
  const ConvGeometry g = conv2d_geometry({1, 1, 1, 8}, {8, 1, 1, 8}, {});
  on_each_device_in_bf16([&](Device& device) {
    device.context().precision = ConvPrecision::tf32;
    const Tensor y = Tensor::empty(device, {1, 1, 1, 8}, DType::bf16);
    CHECK_THROWS_WITH(
        device.kernels().conv2d_forward(device.context(),
                                        {.geometry = g,
                                         .x = tensor_of(device, {1, 1, 1, 8}, Values(8, 1)).view(),
                                         .w = tensor_of(device, {8, 1, 1, 8}, Values(64, 1)).view(),
                                         .y = y.view()}),
        ContainsSubstring("go together"));
  });
}

}  // namespace glia::test
