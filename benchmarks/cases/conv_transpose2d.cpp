// conv_transpose2d: the up-sampling windows of a U-Net, and overlapping and cropped ones.
#include "benchmarks/cases/convolutions.h"
#include "engine/base/check.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

std::vector<Case> conv_transpose2d_windows() {
  return {
      conv_transpose2d_case({1, 1, 1, 1}, 1, 2, 2, strided(2, 2, 0)),
      conv_transpose2d_case({2, 3, 4, 5}, 3, 2, 2, strided(2, 2, 0)),
      conv_transpose2d_case({1, 4, 3, 16}, 8, 2, 2, strided(2, 2, 0)),
      conv_transpose2d_case({1, 3, 5, 3}, 4, 3, 3, strided(2, 2, 1)),
      conv_transpose2d_case({3, 4, 3, 2}, 5, 3, 3, strided(1, 1, 0)),
      conv_transpose2d_case({1, 4, 5, 3}, 3, 3, 3, strided(1, 1, 1)),
      conv_transpose2d_case({1, 3, 4, 3}, 4, 2, 3, strided(2, 1, 0)),
      conv_transpose2d_case({1, 3, 2, 3}, 4, 1, 1, strided(2, 2, 0)),  // some are bias alone
      conv_transpose2d_case({2, 3, 3, 3}, 2, 3, 3,
                            {.stride_h = 2, .stride_w = 3, .padding = {0, 1, 1, 0}}),
      conv_transpose2d_case({2, 3, 4, 5}, 3, 2, 2, strided(2, 2, 0), false),
  };
}

std::vector<Case> conv_transpose2d_channels() {
  std::vector<Case> cases;
  for (std::int64_t c : {3, 17, 70})
    for (std::int64_t k : {1, 16, 33})
      cases.push_back(conv_transpose2d_case({1, 3, 2, c}, k, 2, 2, strided(2, 2, 0)));
  cases.push_back(conv_transpose2d_case({2, 13, 11, 32}, 16, 2, 2, strided(2, 2, 0)));
  // Windows side by side: several groups of columns, rows longer than a batch, other windows.
  cases.push_back(conv_transpose2d_case({1, 3, 2, 5}, 80, 2, 2, strided(2, 2, 0)));
  cases.push_back(conv_transpose2d_case({1, 2, 140, 3}, 16, 2, 2, strided(2, 2, 0)));
  cases.push_back(conv_transpose2d_case({2, 3, 2, 7}, 16, 3, 3, strided(3, 3, 0), false));
  cases.push_back(conv_transpose2d_case({1, 2, 3, 6}, 32, 1, 2, strided(1, 2, 0)));
  for (Case& test : cases) test.samples = 6;
  return cases;
}

std::vector<Case> conv_transpose2d_operands() {
  return of_some_operands(conv_transpose2d_case({1, 3, 4, 3}, 4, 2, 2, strided(2, 2, 0)));
}

std::vector<Case> conv_transpose2d_bf16() {
  return with_samples(
      {
          conv_transpose2d_case({1, 1, 1, 1}, 1, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({2, 3, 4, 5}, 3, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({1, 4, 3, 64}, 40, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({1, 3, 5, 3}, 4, 3, 3, strided(2, 2, 1)),
          conv_transpose2d_case({1, 3, 4, 3}, 4, 2, 3, strided(2, 1, 0)),
          conv_transpose2d_case({1, 3, 2, 3}, 4, 1, 1, strided(2, 2, 0)),  // some are bias alone
          conv_transpose2d_case({2, 13, 11, 32}, 16, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({2, 3, 4, 5}, 3, 2, 2, strided(2, 2, 0), false),
      },
      6);
}

std::vector<Case> conv_transpose2d_tf32() {
  return with_samples(
      {
          conv_transpose2d_case({1, 1, 1, 8}, 8, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({2, 3, 4, 32}, 12, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({1, 4, 3, 64}, 40, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({1, 3, 5, 8}, 8, 3, 3, strided(2, 2, 1)),
          conv_transpose2d_case({1, 3, 4, 12}, 8, 2, 3, strided(2, 1, 0)),
          conv_transpose2d_case({1, 3, 2, 8}, 8, 1, 1, strided(2, 2, 0)),  // some are bias alone
          conv_transpose2d_case({2, 13, 11, 32}, 16, 2, 2, strided(2, 2, 0)),
          conv_transpose2d_case({2, 3, 4, 8}, 20, 2, 2, strided(2, 2, 0), false),
      },
      4);
}

std::vector<Case> conv_transpose2d_at(const Dimensions& d) {
  check_kernel("conv_transpose2d", d);
  return {conv_transpose2d_case(d.shape, d.K, d.R, d.S, d.spec())};
}

}  // namespace

Case conv_transpose2d_case(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
                           const ConvSpec& spec, bool bias) {
  const Shape w{x[3], r, s, k};
  const ConvGeometry g = conv_transpose2d_geometry(x, w, spec);
  const auto taps = static_cast<double>(r * s), pixels = static_cast<double>(x[0] * x[1] * x[2]);
  Case test{.op = "conv_transpose2d",
            .text = conv_text(x, w, spec),
            .inputs = {{.shape = x, .linear = true, .length = taps * static_cast<double>(k)},
                       {.shape = w, .image = false, .linear = true, .length = pixels}},
            .build =
                [spec](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                  return ops::conv_transpose2d(tape, in[0], in[1], in.size() > 2 ? in[2] : Tensor(),
                                               spec, out);
                },
            .length = taps * static_cast<double>(x[3]) + 1,
            .takes_out = true,
            .geometry = g};
  if (bias)
    test.inputs.push_back({.shape = {k},
                           .image = false,
                           .linear = true,
                           .length = static_cast<double>(g.N * g.H * g.W)});
  return test;
}

Operation conv_transpose2d_operation() {
  return {.name = "conv_transpose2d",
          .takes = {Dimension::kernel, Dimension::stride, Dimension::padding},
          .at = conv_transpose2d_at,
          .groups = {{"windows", "windows, strides and paddings", conv_transpose2d_windows},
                     {"channels", "channel counts, and images split between threads",
                      conv_transpose2d_channels},
                     {"operands", "gradients of only some operands", conv_transpose2d_operands},
                     {"bf16", "windows and channels in bf16", conv_transpose2d_bf16},
                     {"tf32", "windows and channels in tf32", conv_transpose2d_tf32}}};
}

}  // namespace glia::cases
