// conv_transpose2d: the up-sampling windows of a U-Net, and overlapping and cropped ones.
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

Case transpose_case(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
                    const ConvSpec& spec, bool bias = true) {
  const Shape w{x[3], r, s, k};
  const ConvGeometry g = conv_transpose2d_geometry(x, w, spec);
  const auto taps = static_cast<double>(r * s), pixels = static_cast<double>(x[0] * x[1] * x[2]);
  Case test{.op = "conv_transpose2d",
            .name = fmt::format("x {}, w {}, stride {}x{}, padding {} {} {} {}", x.str(), w.str(),
                                spec.stride_h, spec.stride_w, spec.padding.top, spec.padding.bottom,
                                spec.padding.left, spec.padding.right),
            .inputs = {{.shape = x, .linear = true, .length = taps * static_cast<double>(k)},
                       {.shape = w, .image = false, .linear = true, .length = pixels}},
            .build =
                [spec](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                  return ops::conv_transpose2d(tape, in[0], in[1], in.size() > 2 ? in[2] : Tensor(),
                                               spec, out);
                },
            .length = taps * static_cast<double>(x[3]) + 1,
            .takes_out = true};
  if (bias)
    test.inputs.push_back({.shape = {k},
                           .image = false,
                           .linear = true,
                           .length = static_cast<double>(g.N * g.H * g.W)});
  return test;
}

ConvSpec strided(std::int64_t stride, std::int64_t padding) {
  return {.stride_h = stride, .stride_w = stride, .padding = Padding::all(padding)};
}

}  // namespace

TEST_CASE("conv_transpose2d: windows, strides and paddings", "[ops]") {
  const Case cases[] = {
      transpose_case({1, 1, 1, 1}, 1, 2, 2, strided(2, 0)),
      transpose_case({2, 3, 4, 5}, 3, 2, 2, strided(2, 0)),
      transpose_case({1, 4, 3, 16}, 8, 2, 2, strided(2, 0)),
      transpose_case({1, 3, 5, 3}, 4, 3, 3, strided(2, 1)),
      transpose_case({3, 4, 3, 2}, 5, 3, 3, strided(1, 0)),
      transpose_case({1, 4, 5, 3}, 3, 3, 3, strided(1, 1)),
      transpose_case({1, 3, 4, 3}, 4, 2, 3, {.stride_h = 2, .stride_w = 1, .padding = {}}),
      transpose_case({1, 3, 2, 3}, 4, 1, 1, strided(2, 0)),  // some results are bias alone
      transpose_case({2, 3, 3, 3}, 2, 3, 3,
                     {.stride_h = 2, .stride_w = 3, .padding = {0, 1, 1, 0}}),
      transpose_case({2, 3, 4, 5}, 3, 2, 2, strided(2, 0), false),
  };
  check_cases(cases);
}

TEST_CASE("conv_transpose2d: channel counts, and images split between threads", "[ops]") {
  std::vector<Case> cases;
  for (std::int64_t c : {3, 17, 70})
    for (std::int64_t k : {1, 16, 33})
      cases.push_back(transpose_case({1, 3, 2, c}, k, 2, 2, strided(2, 0)));
  cases.push_back(transpose_case({2, 13, 11, 32}, 16, 2, 2, strided(2, 0)));
  // Windows side by side: several groups of columns, rows longer than a batch, other windows.
  cases.push_back(transpose_case({1, 3, 2, 5}, 80, 2, 2, strided(2, 0)));
  cases.push_back(transpose_case({1, 2, 140, 3}, 16, 2, 2, strided(2, 0)));
  cases.push_back(transpose_case({2, 3, 2, 7}, 16, 3, 3, strided(3, 0), false));
  cases.push_back(transpose_case({1, 2, 3, 6}, 32, 1, 2, {.stride_w = 2, .padding = {}}));
  for (Case& test : cases) test.samples = 6;
  check_cases(cases);
}

TEST_CASE("conv_transpose2d: gradients of only some operands", "[ops]") {
  for (int wanted : {0b001, 0b010, 0b011, 0b110, 0b111}) {
    Case test = transpose_case({1, 3, 4, 3}, 4, 2, 2, strided(2, 0));
    test.name += fmt::format(", gradients wanted: {:03b}", wanted);
    for (int i = 0; i < 3; ++i) test.inputs[static_cast<std::size_t>(i)].grad = wanted >> i & 1;
    check_cases({&test, 1});
  }
}

TEST_CASE("conv_transpose2d: known values", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const float image[] = {1, 2}, window[] = {1, 10, 100, 1000};
  const Tensor x = Tensor::from<float>(*device, {1, 1, 2, 1}, image);
  const Tensor w = Tensor::from<float>(*device, {1, 2, 2, 1}, window);
  CHECK(ops::conv_transpose2d(tape, x, w, {}, strided(2, 0)).to_vector<float>() ==
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
  CHECK_THROWS_WITH(conv({1, 1, 1, 3}, w, strided(1, 1), 4),
                    "conv_transpose2d: padding leaves no output pixel (input [1, 1, 1, 3], weight "
                    "[3, 2, 2, 4])");
}

}  // namespace glia::test
