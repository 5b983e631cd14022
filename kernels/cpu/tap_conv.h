// The one convolution engine of the CPU backend. A pass of a (transposed) convolution is brought
// into the form
//   out[n, oh + i*out_step_h, ow + j*out_step_w, k] (+)= bias[k]
//       + sum over taps t and channels c of in[n, i*in_step_h + dh_t, j*in_step_w + dw_t, c] *
//       w_t[c][k]
// with pixels outside `in` counting as 0: forward passes have one tap a weight position, and dgrad
// is one such problem for each residue of the stride.
#pragma once

#include <vector>

#include "kernels/api/context.h"
#include "kernels/api/view.h"

namespace glia::cpu {

/// Offset of the input pixel and the weight position (r * S + s) that it meets.
struct Tap {
  std::int64_t dh, dw, position;
};

struct TapConv {
  ConstView in;              // [N, Hin, Win, depth]
  ConstView w;               // [K, R, S, C]
  bool w_reduces_k = false;  // true: depth is K and outputs are C (dgrad); false: the reverse
  ConstView bias;            // [outputs] or empty
  View out;                  // [N, Hout, Wout, outputs]
  std::int64_t out_first_h = 0, out_first_w = 0, out_step_h = 1, out_step_w = 1;
  std::int64_t rows = 0, cols = 0;  // range of i and j
  std::int64_t in_step_h = 1, in_step_w = 1;
  std::vector<Tap> taps;
  Write write = Write::overwrite;
};

void tap_conv(KernelContext& context, const TapConv& problem);

}  // namespace glia::cpu
