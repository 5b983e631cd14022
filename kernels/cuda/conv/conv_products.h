// The passes of a convolution as matrix products: where their operands are gathered from and where
// results go. What the kernels of gemm_tile.h and of mma_tile.h have in common. T is the type of
// the operands, float or Bf16, D that of dy where it may differ, float.
#pragma once

#include <vector>

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/conv/conv_epilogue.h"
#include "kernels/cuda/conv/conv_operands.h"
#include "kernels/cuda/conv/gemm_output.h"

namespace glia::GLIA_GPU {

/// The kernels count pixels, and elements of a weight, in 32 bits; throws `Error` beyond 2^30.
int narrow(std::int64_t count);

/// y[n,p,q,k] = b[k] + sum_{r,s,c} x[n, p*stride_h + r - pad_top, ...] * w[k,r,s,c]: output pixels
/// as rows, output channels as columns and (r, s, c), the order of w, as depth.
template <class T>
struct ForwardProduct {
  Gather<T> x;
  RowMatrix<T> w;
  Output y;
  GemmShape shape;
  bool pieces;  // operands can be read 16 bytes at a time; and likewise below
};
template <class T>
ForwardProduct<T> forward_product(const ConvGeometry& g, const ConstView& x, const ConstView& w,
                                  const Epilogue& end, const View& y, Write write);

/// dx[n,h,w,c] = sum of dy[n,p,q,k] * w[k,r,s,c] over k and all (p, r) with p*stride_h + r -
/// pad_top = h, and likewise (q, s). The pixels of dx that meet the same r and s form a part
/// (conv_choice.h); each is one product with its pixels as rows, input channels as columns and
/// (tap, tap, k) as depth. At stride 1 there is one part.
template <class T, class D>
struct DgradProduct {
  Gather<D> dy;
  TapMatrix<T> w;
  Output dx;
  GemmShape shape;
  bool pieces;
};
/// Without those that would add nothing.
template <class T, class D>
std::vector<DgradProduct<T, D>> dgrad_products(const ConvGeometry& g, const ConstView& dy,
                                               const ConstView& w, const ConstView& b,
                                               const View& dx, Write write);

/// dgrad where windows neither overlap nor leave gaps, such as a transposed convolution 2x2 with
/// stride 2: pixel (p*R + r, q*S + s) of dx belongs to (p, q) alone,
///   dx[n, p*R + r, q*S + s, c] = b[c] + sum_k dy[n,p,q,k] * w[k,r,s,c].
/// One product [N*P*Q, K] x [K, R*S*C] with matrices as they lie in memory; its columns are dealt
/// out to the pixels of a window (a pixel shuffle).
template <class T, class D>
struct ShuffledProduct {
  RowMatrix<D> dy;
  ColumnMatrix<T> w;
  Output dx;
  GemmShape shape;
  bool pieces;
};
template <class T, class D>
ShuffledProduct<T, D> shuffled_product(const ConvGeometry& g, const ConstView& dy,
                                       const ConstView& w, const ConstView& b, const View& dx,
                                       Write write);

/// dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*stride_h + r - pad_top, ...]: output
/// channels as rows, (r, s, c) as columns and output pixels as depth. The sums are long and the
/// result is small, so the depth is split among blocks; a second pass adds their results in order.
template <class T, class D>
struct WgradProduct {
  ColumnMatrix<D> dy;
  Gather<T> x;
  Output dw;
  GemmShape shape;
  bool pieces;
};
template <class T, class D>
WgradProduct<T, D> wgrad_product(const ConvGeometry& g, const ConstView& dy, const ConstView& x,
                                 const View& dw, Write write);

}  // namespace glia::GLIA_GPU
