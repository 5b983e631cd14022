// The direct convolution of the CPU backend. A pass of a (transposed) convolution is brought into
// the form
//   out[n, first_h + i*out_step_h, first_w + j*out_step_w, k] (+)= bias[k]
//       + sum over taps t and channels c of in[n, i*in_step_h + dh_t, j*in_step_w + dw_t, c] *
//       w_t[c][k]
// with pixels outside `in` counting as 0. A forward pass has one part, with a tap a weight
// position; dgrad has one for each residue of the stride, and all of them read the same pixels.
#pragma once

#include <vector>

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/view.h"

namespace glia::cpu {

/// Offset of the input pixel and the weight position (r * S + s) that it meets.
struct Tap {
  std::int64_t dh, dw, position;
};

/// Output pixels that see the same taps: i < rows, j < cols.
struct TapPart {
  std::int64_t first_h = 0, first_w = 0, rows = 0, cols = 0;
  std::vector<Tap> taps = {};

  /// How many taps, one after the other, read neighbouring pixels of a row: the taps fall into runs
  /// of this length. 1 where runs differ.
  std::int64_t neighbours() const;
};

/// The taps of a forward pass: r, s in row-major order.
TapPart forward_taps(const ConvGeometry& g);

struct TapConv {
  ConstView in, in_map{};    // [N, Hin, Win, depth]
  ConstView w;               // [K, R, S, C]
  bool w_reduces_k = false;  // true: depth is K and outputs are C (dgrad); false: the reverse
  ConstView bias;            // [outputs] or empty
  View out;                  // [N, Hout, Wout, outputs]
  std::int64_t out_step_h = 1, out_step_w = 1;
  std::int64_t in_step_h = 1, in_step_w = 1;
  std::vector<TapPart> parts = {};
  Write write = Write::overwrite;
};

/// `moments`, when given: f64 [2, outputs], of a result of one part that is overwritten. Gives
/// whether they were computed; they are not where sums over channels are formed a slice at a time.
bool tap_conv(KernelContext& context, const TapConv& problem, const View& moments = {});

}  // namespace glia::cpu
