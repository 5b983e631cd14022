// conv2d: every window, stride and padding that a U-Net or its variants use, and the channel counts
// around vector and block widths.
#include "engine/ops/ops.h"
#include "kernels/cpu/conv/conv_choice.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"
#include "benchmarks/judge/tolerance.h"

namespace glia::test {

namespace {

/// Those of the cases that Winograd's kernels fit, by them.
void check_winograd(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& test) { return !cpu::winograd_fits(*test.geometry); });
  for (Case& test : cases) {
    test.conv = ConvMethod::winograd;
    test.op = "conv2d_winograd";
    test.condition = kWinogradCondition;
  }
  check_cases_on_cpu(cases);
}

void check_both(std::vector<Case> cases) {
  check_winograd(cases);
  for (Case& test : cases) test.conv = ConvMethod::direct;
  check_cases(cases);
}

}  // namespace

TEST_CASE("conv2d: windows, strides and paddings", "[ops]") {
  check_both(cases::find("conv2d.windows"));
}

TEST_CASE("conv2d: channel counts around vector and block widths", "[ops]") {
  check_both(cases::find("conv2d.channels"));
}

TEST_CASE("conv2d: images large enough to be split between threads", "[ops]") {
  check_both(cases::find("conv2d.threads"));
}

TEST_CASE("conv2d: Winograd's tiles, batches of tiles and blocks of channels", "[ops]") {
  check_winograd(cases::find("conv2d.tiles"));
}

TEST_CASE("conv2d: pixels that lie outside every window", "[ops]") {
  check_both(cases::find("conv2d.outside"));
}

TEST_CASE("conv2d: gradients of only some operands", "[ops]") {
  check_both(cases::find("conv2d.operands"));
}

TEST_CASE("conv2d: known values", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const float image[] = {1, 2, 3, 4}, window[] = {1, 10, 100, 1000};
  const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, image);
  const Tensor w = Tensor::from<float>(*device, {1, 2, 2, 1}, window);
  // The odd row and column of "same" padding lie below and to the right.
  CHECK(ops::conv2d(tape, x, w, {}, {.padding = Padding::same(2, 2)}).to_vector<float>() ==
        std::vector<float>{4321, 402, 43, 4});
}

TEST_CASE("conv2d: error texts", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device);
  const auto zeros = [&](const Shape& shape) { return Tensor::zeros(*device, shape); };
  const auto conv = [&](const Shape& x, const Shape& w, const Tensor& b, const ConvSpec& spec,
                        const Tensor& out = {}) {
    return ops::conv2d(tape, zeros(x), zeros(w), b, spec, out);
  };
  const Shape x{2, 5, 6, 3}, w{4, 3, 3, 3};
  CHECK_THROWS_WITH(conv({5, 6, 3}, w, {}, {}),
                    "conv2d: input is [5, 6, 3], expected [N, H, W, C]");
  CHECK_THROWS_WITH(conv(x, {4, 3, 3}, {}, {}),
                    "conv2d: weight is [4, 3, 3], expected four non-zero extents");
  CHECK_THROWS_WITH(conv(x, {4, 3, 3, 5}, {}, {}),
                    "conv2d: input [2, 5, 6, 3] has 3 channels, weight [4, 3, 3, 5] expects 5");
  CHECK_THROWS_WITH(conv(x, {4, 7, 3, 3}, {}, {}),
                    "conv2d: the window 7x3 is larger than the padded input 5x6 (input "
                    "[2, 5, 6, 3])");
  CHECK_THROWS_WITH(conv(x, w, zeros({3}), {}), "conv2d: bias is [3], expected [4]");
  CHECK_THROWS_WITH(conv(x, w, {}, {.stride_h = 0, .padding = {}}),
                    "conv2d: found stride 0x1, expected 1 or more");
  CHECK_THROWS_WITH(conv(x, w, {}, {.padding = {0, -1, 0, 0}}),
                    "conv2d: found a negative padding, expected 0 or more");
  CHECK_THROWS_WITH(conv(x, w, {}, {}, zeros({2, 5, 6, 4})),
                    "conv2d: out is [2, 5, 6, 4], expected [2, 3, 4, 4]");
  const Tensor bias = zeros({4});
  bias.set_wants_grad(true);
  CHECK_THROWS_WITH(conv(x, w, bias, {}),
                    "conv2d: the bias wants a gradient and the weight does not; freeze both or "
                    "neither");
  CHECK_THROWS_WITH(ops::conv2d(tape, {}, zeros(w), {}, {}), "conv2d: input is not given");
  CHECK_THROWS_WITH(ops::conv2d(tape, Tensor::zeros(*device, x, DType::f64), zeros(w), {}, {}),
                    "conv2d: input is f64, the backend 'cpu' computes in f32");
}

}  // namespace glia::test
