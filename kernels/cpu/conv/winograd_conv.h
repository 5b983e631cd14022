// Winograd's forward pass and dgrad as one problem.
#pragma once

#include "kernels/api/view.h"

namespace glia::cpu {

/// out[n,p,q,k] (+)= bias[k] + sum of in[n, p + r - pad_top, q + s - pad_left, c] * w at (r, s).
struct WinogradConv {
  ConstView in, in_map, w, bias;
  View out, moments;  // f64 [2, K] or empty
  std::int64_t pad_top, pad_left;
  bool dgrad;  // c is w's K and k its C, and (r, s) stands for w's (2 - r, 2 - s)
  Write write;
};

}  // namespace glia::cpu
