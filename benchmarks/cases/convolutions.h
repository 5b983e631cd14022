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

/// The same with fewer samples: there are several units that compute in bf16.
inline std::vector<Case> in_bf16(std::vector<Case> cases, std::size_t samples) {
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
