// How cases of convolutions are made.
#pragma once

#include "benchmarks/cases/operation.h"

namespace glia::cases {

/// x [N,H,W,C] by a window of r x s to k channels.
Case conv2d_case(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
                 const ConvSpec& spec = {}, bool bias = true);
Case conv_transpose2d_case(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
                           const ConvSpec& spec, bool bias = true);

inline ConvSpec strided(std::int64_t stride_h, std::int64_t stride_w, std::int64_t padding) {
  return {.stride_h = stride_h, .stride_w = stride_w, .padding = Padding::all(padding)};
}

inline ConvSpec same(std::int64_t r, std::int64_t s) {
  return {.padding = Padding::same(r, s)};
}

/// What a case says of itself: "x [1, 4, 5, 3], w …, stride 1x1, padding 1 1 1 1".
inline std::string conv_text(const Shape& x, const Shape& w, const ConvSpec& spec) {
  return fmt::format("x {}, w {}, stride {}x{}, padding {} {} {} {}", x.str(), w.str(),
                     spec.stride_h, spec.stride_w, spec.padding.top, spec.padding.bottom,
                     spec.padding.left, spec.padding.right);
}

/// `test` with the gradients of only some of x, w and bias.
inline std::vector<Case> of_some_operands(const Case& test) {
  std::vector<Case> cases;
  for (int wanted : {0b001, 0b010, 0b011, 0b110, 0b111}) {
    Case& one = cases.emplace_back(test);
    one.text += fmt::format(", gradients wanted: {:03b}", wanted);
    for (int i = 0; i < 3; ++i) one.inputs[static_cast<std::size_t>(i)].grad = wanted >> i & 1;
  }
  return cases;
}

/// The same with fewer samples: several units compute in bf16, and several tiles in tf32.
inline std::vector<Case> with_samples(std::vector<Case> cases, std::size_t samples) {
  for (Case& test : cases) {
    test.inputs[0].min_nonzero = 0.1;
    test.samples = samples;
  }
  return cases;
}

/// The window and the output channels, which a convolution must be told.
inline void check_kernel(const char* op, const Dimensions& d) {
  check(d.R > 0, "{}: found no kernel, expected one of R x S x K, such as 3x3x48", op);
}

}  // namespace glia::cases
