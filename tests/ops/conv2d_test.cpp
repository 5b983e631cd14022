// conv2d: every window, stride and padding that a U-Net or its variants use, and the channel counts
// around vector and block widths.
#include <algorithm>

#include "engine/ops/ops.h"
#include "kernels/cpu/conv/conv_choice.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"
#include "tests/ops/tolerance.h"

namespace glia::test {

namespace {

Case conv_case(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
               const ConvSpec& spec = {}, bool bias = true) {
  const Shape w{k, r, s, x[3]};
  const ConvGeometry g = conv2d_geometry(x, w, spec);
  const auto taps = static_cast<double>(r * s), pixels = static_cast<double>(g.N * g.P * g.Q);
  Case test{.op = "conv2d",
            .name = fmt::format("x {}, w {}, stride {}x{}, padding {} {} {} {}", x.str(), w.str(),
                                spec.stride_h, spec.stride_w, spec.padding.top, spec.padding.bottom,
                                spec.padding.left, spec.padding.right),
            .inputs = {{.shape = x, .linear = true, .length = taps * static_cast<double>(k)},
                       {.shape = w, .image = false, .linear = true, .length = pixels}},
            .build =
                [spec](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                  return ops::conv2d(tape, in[0], in[1], in.size() > 2 ? in[2] : Tensor(), spec,
                                     out);
                },
            .length = taps * static_cast<double>(x[3]) + 1,
            .takes_out = true,
            .conv = cpu::winograd_fits(g) ? ConvMethod::winograd : ConvMethod::direct};
  // A window smaller than the stride leaves pixels out.
  test.inputs[0].min_nonzero *=
      std::min(1.0, static_cast<double>(r) / static_cast<double>(spec.stride_h)) *
      std::min(1.0, static_cast<double>(s) / static_cast<double>(spec.stride_w)) * 0.8;
  if (bias) test.inputs.push_back({.shape = {k}, .image = false, .linear = true, .length = pixels});
  return test;
}

/// Those of the cases that Winograd's kernels fit, by them.
void check_winograd(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& test) { return test.conv != ConvMethod::winograd; });
  for (Case& test : cases) {
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

ConvSpec strided(std::int64_t stride_h, std::int64_t stride_w, std::int64_t padding) {
  return {.stride_h = stride_h, .stride_w = stride_w, .padding = Padding::all(padding)};
}

ConvSpec same(std::int64_t r, std::int64_t s) {
  return {.padding = Padding::same(r, s)};
}

}  // namespace

TEST_CASE("conv2d: windows, strides and paddings", "[ops]") {
  check_both({
      conv_case({1, 1, 1, 1}, 1, 1, 1),
      conv_case({2, 5, 7, 3}, 2, 1, 1),
      conv_case({1, 4, 5, 16}, 33, 1, 1),
      conv_case({2, 5, 7, 17}, 3, 1, 1),  // dot products
      conv_case({1, 9, 8, 8}, 4, 1, 1, {}, false),
      conv_case({2, 6, 5, 5}, 3, 2, 2, same(2, 2)),
      conv_case({1, 7, 9, 3}, 16, 2, 2),
      conv_case({3, 6, 5, 3}, 4, 3, 3, same(3, 3)),
      conv_case({1, 5, 8, 5}, 7, 3, 3),
      conv_case({1, 6, 5, 2}, 3, 3, 3, strided(1, 1, 2)),
      conv_case({2, 8, 7, 3}, 4, 5, 3, same(5, 3)),
      conv_case({1, 3, 2, 4}, 5, 5, 3, strided(1, 1, 2)),
      conv_case({1, 9, 8, 3}, 5, 3, 3, strided(2, 2, 1)),
      conv_case({2, 10, 7, 3}, 4, 3, 3, strided(3, 3, 1)),
      conv_case({1, 9, 11, 4}, 3, 3, 3, strided(2, 3, 0)),
      conv_case({1, 7, 8, 3}, 5, 1, 1, strided(2, 2, 0)),
      conv_case({1, 6, 6, 3}, 4, 2, 2, strided(3, 3, 0)),  // some pixels are in no window
      conv_case({1, 4, 6, 3}, 4, 3, 3, {.padding = {0, 2, 1, 0}}),
      conv_case({2, 4, 5, 3}, 4, 3, 3, same(3, 3), false),
  });
}

TEST_CASE("conv2d: channel counts around vector and block widths", "[ops]") {
  std::vector<Case> cases;
  for (std::int64_t c : {1, 3, 5, 16, 17, 32, 70})
    for (std::int64_t k : {1, 2, 16, 33, 64, 130})
      cases.push_back(conv_case({1, 3, 4, c}, k, 3, 3, same(3, 3)));
  for (std::int64_t c : {130, 144, 200})
    cases.push_back(conv_case({1, 3, 4, c}, 5, 3, 3, same(3, 3)));
  cases.push_back(conv_case({1, 2, 3, 70}, 130, 1, 1));
  cases.push_back(conv_case({1, 3, 2, 32}, 64, 2, 2, same(2, 2)));
  for (Case& test : cases) test.samples = 5;
  check_both(cases);
}

TEST_CASE("conv2d: images large enough to be split between threads", "[ops]") {
  std::vector<Case> cases = {conv_case({2, 17, 19, 16}, 32, 3, 3, same(3, 3)),
                             conv_case({3, 15, 14, 3}, 16, 3, 3, same(3, 3)),
                             conv_case({1, 24, 23, 32}, 1, 1, 1),
                             conv_case({2, 21, 18, 17}, 16, 3, 3, strided(2, 2, 1)),
                             conv_case({8, 16, 16, 64}, 2, 3, 3, same(3, 3)),
                             conv_case({1, 40, 40, 64}, 3, 3, 3, same(3, 3))};
  for (Case& test : cases) test.samples = 3;
  check_both(cases);
}

TEST_CASE("conv2d: Winograd's tiles, batches of tiles and blocks of channels", "[ops]") {
  std::vector<Case> cases = {
      conv_case({1, 1, 1, 1}, 1, 3, 3, same(3, 3)),    // a tile of which one pixel exists
      conv_case({2, 1, 9, 5}, 7, 3, 3, same(3, 3)),    // and one of which a row does
      conv_case({1, 4, 8, 16}, 16, 3, 3, same(3, 3)),  // whole tiles
      conv_case({2, 9, 6, 20}, 36, 3, 3, same(3, 3)),  // remainders of 1 and 2 pixels
      conv_case({1, 6, 11, 17}, 66, 3, 3, strided(1, 1, 2)),
      conv_case({1, 7, 7, 6}, 5, 3, 3, strided(1, 1, 3)),  // dgrad starts inside dy
      conv_case({2, 7, 10, 33}, 18, 3, 3, {.padding = {1, 0, 0, 2}}),
      conv_case({3, 29, 31, 8}, 16, 3, 3, same(3, 3)),  // several batches of tiles
      conv_case({1, 5, 4, 272}, 20, 3, 3, same(3, 3)),  // several blocks of channels
      conv_case({1, 5, 4, 20}, 260, 3, 3, same(3, 3)),
      // Blocks of outputs in the forward pass and dgrad, blocks of channels in wgrad.
      conv_case({1, 5, 6, 136}, 130, 3, 3, same(3, 3)),
      conv_case({2, 9, 7, 260}, 72, 3, 3, same(3, 3)),
  };
  for (std::size_t i = 2; i < cases.size(); ++i) cases[i].samples = 4;
  // Most weights of a window meet nothing but padding.
  cases[0].inputs[1].min_nonzero = cases[1].inputs[1].min_nonzero = 0.1;
  check_winograd(cases);
}

TEST_CASE("conv2d: pixels that lie outside every window", "[ops]") {
  // Only the first pixel is read: some residues of dgrad have no dy pixel at all. With 144 channels
  // a packed row of dy is as wide as a dense one.
  for (std::int64_t k : {4, 144}) {
    Case test =
        conv_case({1, 2, 2, 3}, k, 2, 2, {.stride_h = 2, .stride_w = 2, .padding = {1, 0, 1, 0}});
    test.inputs[0].min_nonzero = test.inputs[1].min_nonzero = 0.2;
    check_both({test});
  }
}

TEST_CASE("conv2d: gradients of only some operands", "[ops]") {
  for (int wanted : {0b001, 0b010, 0b011, 0b110, 0b111}) {
    Case test = conv_case({1, 4, 5, 3}, 4, 3, 3, same(3, 3));
    test.name += fmt::format(", gradients wanted: {:03b}", wanted);
    for (int i = 0; i < 3; ++i) test.inputs[static_cast<std::size_t>(i)].grad = wanted >> i & 1;
    check_both({test});
  }
}

TEST_CASE("conv2d: known values", "[ops]") {
  const auto device = make_cpu_device(1);
  Tape tape(*device, Tape::Mode::off);
  const float image[] = {1, 2, 3, 4}, window[] = {1, 10, 100, 1000};
  const Tensor x = Tensor::from<float>(*device, {1, 2, 2, 1}, image);
  const Tensor w = Tensor::from<float>(*device, {1, 2, 2, 1}, window);
  // The odd row and column of "same" padding lie below and to the right.
  CHECK(ops::conv2d(tape, x, w, {}, same(2, 2)).to_vector<float>() ==
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
