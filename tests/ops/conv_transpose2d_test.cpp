// conv_transpose2d: the up-sampling windows of a U-Net, and overlapping and cropped ones.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("conv_transpose2d: windows, strides and paddings", "[ops]") {
  check_cases(cases::find("conv_transpose2d.windows"));
}

TEST_CASE("conv_transpose2d: channel counts, and images split between threads", "[ops]") {
  check_cases(cases::find("conv_transpose2d.channels"));
}

TEST_CASE("conv_transpose2d: gradients of only some operands", "[ops]") {
  check_cases(cases::find("conv_transpose2d.operands"));
}

TEST_CASE("conv_transpose2d: known values", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const float image[] = {1, 2}, window[] = {1, 10, 100, 1000};
  const Tensor x = Tensor::from<float>(*device, {1, 1, 2, 1}, image);
  const Tensor w = Tensor::from<float>(*device, {1, 2, 2, 1}, window);
  const ConvSpec spec{.stride_h = 2, .stride_w = 2, .padding = {}};
  CHECK(ops::conv_transpose2d(tape, x, w, {}, spec).to_vector<float>() ==
        std::vector<float>{1, 10, 2, 20, 100, 1000, 200, 2000});
}

TEST_CASE("conv_transpose2d: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto conv = [&](const Shape& x, const Shape& w, const ConvSpec& spec, std::int64_t bias) {
    return ops::conv_transpose2d(tape, Tensor::zeros(*device, x), Tensor::zeros(*device, w),
                                 Tensor::zeros(*device, {bias}), spec);
  };
  const Shape x{2, 5, 6, 3}, w{3, 2, 2, 4};
  CHECK_THROWS_WITH(conv({5, 6, 3}, w, {}, 4),
                    "conv_transpose2d: input is [5, 6, 3], expected [N, H, W, C]");
  CHECK_THROWS_WITH(
      conv(x, {5, 2, 2, 4}, {}, 4),
      "conv_transpose2d: input [2, 5, 6, 3] has 3 channels, weight [5, 2, 2, 4] expects 5");
  CHECK_THROWS_WITH(conv(x, w, {}, 3), "conv_transpose2d: bias is [3], expected [4]");
  const Tensor bias = Tensor::zeros(*device, {4});
  bias.set_wants_grad(true);
  CHECK_THROWS_WITH(
      ops::conv_transpose2d(tape, Tensor::zeros(*device, x), Tensor::zeros(*device, w), bias, {}),
      "conv_transpose2d: the bias wants a gradient and the weight does not; freeze both or "
      "neither");
  CHECK_THROWS_WITH(conv({1, 1, 1, 3}, w, {.padding = Padding::all(1)}, 4),
                    "conv_transpose2d: padding leaves no output pixel (input [1, 1, 1, 3], weight "
                    "[3, 2, 2, 4])");
}

}  // namespace glia::test
