// The differentiable operations. Each checks shapes, allocates its result (or writes into `out`, a
// tensor of the result's shape, so that a producer can write straight into its slice of a
// concatenation), runs one kernel and records its backward on the tape.
//
// Deferred tensors (engine/tensor/tensor.h) are read by conv2d, conv_transpose2d, max_pool2d,
// concat and materialise; the others refuse them.
//
// Images are NHWC float tensors. Every function throws `Error`, naming the operation and the
// shapes, when its arguments do not fit. docs/ops/<name>.md derives each backward pass.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "engine/base/geometry.h"
#include "engine/tape/tape.h"
#include "engine/tensor/tensor.h"

namespace glia::ops {

/// x [N,H,W,C], w [K,R,S,C], b [K] or undefined -> [N,P,Q,K].
Tensor conv2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b, const ConvSpec& spec,
              const Tensor& out = {});
/// Whether x may be deferred: the kernels of this geometry, that of dw too where the tape records
/// one, read maps.
bool conv2d_reads_map(const Tape& tape, const ConvGeometry& g, const Tensor& w);

/// A result and the moments of its channels: f64 [2, C], mean and sum of squared deviations.
struct WithMoments {
  Tensor y, moments = {};
};
/// conv2d, with the moments that a norm after it needs.
WithMoments conv2d_moments(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                           const ConvSpec& spec, const Tensor& out = {});

/// What `map` [3, K] makes of conv2d, in its own pass, for a tape that is off. Throws `Error` where
/// the backend has no such convolution (KernelTable::maps_results).
Tensor conv2d_mapped(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                     const ConvSpec& spec, const Tensor& map, const Tensor& out = {});

/// x [N,H,W,C], w [C,R,S,K], b [K] or undefined -> [N,P,Q,K], P = (H-1)*stride + R - padding.
Tensor conv_transpose2d(Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
                        const ConvSpec& spec, const Tensor& out = {});

/// Running statistics of a batch norm and how it uses them.
struct BatchNormState {
  Tensor running_mean, running_var;  // [C], updated in training
  double momentum = 0.1;
  double epsilon = 1e-5;
};

/// x [N,H,W,C], gamma and beta [C]. Training uses the batch's statistics and updates the running
/// ones; evaluation uses the running ones.
Tensor batch_norm(Tape& tape, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  const BatchNormState& state, bool training, const Tensor& out = {});

/// The map of relu(batch_norm(·)) by the running statistics: [3, C] (kernels/api/read_map.h).
Tensor batch_norm_relu_map(Tape& tape, const Tensor& gamma, const Tensor& beta,
                           const BatchNormState& state);
/// relu(batch_norm(x)) as a deferred tensor over x (engine/tensor/tensor.h). In training the
/// moments of x are computed where they are not given.
Tensor batch_norm_relu(Tape& tape, const WithMoments& x, const Tensor& gamma, const Tensor& beta,
                       const BatchNormState& state, bool training);
/// relu(x) as a deferred tensor over x.
Tensor deferred_relu(Tape& tape, const Tensor& x);

/// The elements of a deferred tensor, written down; one that is not deferred is returned as it is.
Tensor materialise(Tape& tape, const Tensor& x, const Tensor& out = {});
/// The same, and max_pool2d of it, in one pass.
struct Pooled {
  Tensor y, pooled;
};
Pooled materialise_pool(Tape& tape, const Tensor& x, const Tensor& out = {});

/// x [N,H,W,C], gamma and beta [C]; C must be a multiple of `groups`.
Tensor group_norm(Tape& tape, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  std::int64_t groups, double epsilon = 1e-5, const Tensor& out = {});

Tensor relu(Tape& tape, const Tensor& x, const Tensor& out = {});
Tensor sigmoid(Tape& tape, const Tensor& x, const Tensor& out = {});

/// Zeroes elements with probability p and scales the others by 1/(1-p); which ones is a function of
/// (seed, stream, element). 0 <= p < 1. `counter` (one i64) adds 65536 times its value to `stream`.
/// `first`, a multiple of four, is the number of x's first element where x is part of a batch.
Tensor dropout(Tape& tape, const Tensor& x, double p, std::uint64_t seed, std::uint64_t stream,
               const Tensor& out = {}, const Tensor& counter = {}, std::uint64_t first = 0);

/// Ties go to the first maximum in row-major order.
Tensor max_pool2d(Tape& tape, const Tensor& x, std::int64_t window = 2, std::int64_t stride = 2,
                  const Tensor& out = {});
Tensor upsample_nearest2d(Tape& tape, const Tensor& x, std::int64_t factor = 2,
                          const Tensor& out = {});

/// The channels of all `inputs`, which must be neighbouring channel slices of one buffer. Nothing
/// is copied, forward or backward.
Tensor concat(Tape& tape, std::span<const Tensor> inputs);

Tensor add(Tape& tape, const Tensor& a, const Tensor& b, const Tensor& out = {});
Tensor mul(Tape& tape, const Tensor& a, const Tensor& b, const Tensor& out = {});
/// `out` may have the other of the device's two types: the conversion between them.
Tensor scale(Tape& tape, const Tensor& x, double alpha, const Tensor& out = {});

/// One element.
Tensor sum(Tape& tape, const Tensor& x);
Tensor mean(Tape& tape, const Tensor& x);

/// The sum of the rows of `parts` [V, n], by pairs of neighbours and pairs of pairs: [n], in the
/// memory of row 0. The other rows have no meaning afterwards. Not differentiable.
Tensor fold(Tape& tape, const Tensor& parts);

/// 1 where x > t, else 0. A step has no useful gradient: nothing is recorded.
Tensor threshold(Tape& tape, const Tensor& x, double t = 0.5);

/// A loss and the (intersection, union) or (intersection, cardinality) sums behind it, f64
/// [regions, 2].
struct RegionLoss {
  Tensor loss, sums;
};

/// From the sums [1, 2] of this part of a batch to those of the whole batch, of which the loss then
/// is; its gradient stays that of this part's logits.
using WholeBatch = std::function<Tensor(Tape&, const Tensor& sums)>;

/// -log((I + smooth) / (U + smooth)) of p = sigmoid(logits); target is a constant. `whole` is for
/// losses over the batch.
RegionLoss iou_loss(Tape& tape, const Tensor& logits, const Tensor& target,
                    Region region = Region::batch, double smooth = 1, const WholeBatch& whole = {});
/// 1 - (2 I + smooth) / (P + T + smooth).
RegionLoss dice_loss(Tape& tape, const Tensor& logits, const Tensor& target,
                     Region region = Region::batch, double smooth = 1,
                     const WholeBatch& whole = {});
/// Mean binary cross-entropy.
Tensor bce_with_logits(Tape& tape, const Tensor& logits, const Tensor& target);

/// i64 [N, 4]: true positives, false positives, false negatives and true negatives of
/// (prediction > t) an image. Not differentiable.
Tensor confusion_counts(Tape& tape, const Tensor& prediction, const Tensor& target, double t = 0.5);

}  // namespace glia::ops
