// Every forward pass in float64, as plain loops written from the formulas: what the kernels of all
// backends are compared with. Independent of the kernels on purpose: no blocking, no sharing.
//
// Images are row-major N, H, W, C. The formulas stand in kernels/api/*.h.
#pragma once

#include <cstdint>

#include "engine/base/geometry.h"
#include "kernels/api/loss.h"
#include "benchmarks/reference/values.h"

namespace glia::reference {

/// x [N,H,W,C], w [K,R,S,C], b [K] or empty -> [N,P,Q,K].
Values conv2d(const ConvGeometry& g, const Values& x, const Values& w, const Values& b);

/// x [N,P,Q,K], w [K,R,S,C], b [C] or empty -> [N,H,W,C]; `g` is that of the convolution of which
/// this is the adjoint.
Values conv_transpose2d(const ConvGeometry& g, const Values& x, const Values& w, const Values& b);

/// A normalised image and the statistics that did it.
struct Normalized {
  Values y, mean, invstd;
  Values unbiased_variance;  // batch_norm only
};

/// Statistics over the rows of x [rows, C]; mean and invstd [C].
Normalized batch_norm(const Values& x, const Values& gamma, const Values& beta, double epsilon);

/// gamma * (x - mean) / sqrt(variance + epsilon) + beta with given statistics [C].
Values batch_norm_fixed(const Values& x, const Values& gamma, const Values& beta,
                        const Values& mean, const Values& variance, double epsilon);

/// max(scale * x + shift, floor) with the rows of map [3, C].
Values apply_map(const Values& x, const Values& map);

/// The map of relu(batch_norm_fixed).
Values batch_norm_relu_map(const Values& gamma, const Values& beta, const Values& mean,
                           const Values& variance, double epsilon);

/// [2, C]: mean of each channel of x [rows, C] and its sum of squared deviations.
Values channel_moments(const Values& x, std::size_t channels);

/// Statistics of each of N images and each group of C / groups channels; mean, invstd [N, groups].
Normalized group_norm(std::int64_t images, std::int64_t groups, const Values& x,
                      const Values& gamma, const Values& beta, double epsilon);

/// The maxima [N,P,Q,C] and where in its window each was, r * window + s.
struct Pooled {
  Values y, index;
};
Pooled max_pool2d(const PoolGeometry& g, const Values& x);

/// x [N,H,W,C] of `shape` -> [N, H * factor, W * factor, C].
Values upsample_nearest2d(const Shape& shape, std::int64_t factor, const Values& x);

Values relu(const Values& x);
Values sigmoid(const Values& x);
Values dropout(const Values& x, double p, std::uint64_t seed, std::uint64_t stream);
Values threshold(const Values& x, double t);

/// A loss and the two sums of each region that it is made of, [regions, 2].
struct Loss {
  double loss = 0;
  Values sums;
};
/// `regions` is 1 or the number of images.
Loss iou_loss(std::size_t regions, const Values& logits, const Values& target, double smooth);
Loss dice_loss(std::size_t regions, const Values& logits, const Values& target, double smooth);
double bce_with_logits(const Values& logits, const Values& target);

/// [images, 4]: true positives, false positives, false negatives, true negatives.
Values confusion_counts(std::size_t images, const Values& prediction, const Values& target,
                        double t);

}  // namespace glia::reference
