// Layers: an operation with its parameters. `declare` functions run before the set is allocated.
#pragma once

#include <string>

#include "engine/nn/model.h"
#include "engine/ops/ops.h"

namespace glia::nn {

/// Images in the type that the device has for activations: themselves, or rounded.
Tensor as_activations(Pass& pass, const Tensor& images);

/// Convolution with "same" padding and stride 1.
class Conv2d {
 public:
  Conv2d() = default;
  /// Declares `name`.weight [K,R,R,C], He-normal, and, if asked for, `name`.bias [K], zero.
  Conv2d(ParameterSet& set, const std::string& name, std::int64_t C, std::int64_t K, std::int64_t R,
         bool bias);
  Tensor operator()(Pass& pass, const Tensor& x, const Tensor& out = {}) const;
  ops::WithMoments with_moments(Pass& pass, const Tensor& x, const Tensor& out = {}) const;
  /// Whether it reads a deferred input of this shape.
  bool reads_map(const Pass& pass, const Shape& x) const;
  /// What `map` makes of the result, without a gradient.
  Tensor mapped(Pass& pass, const Tensor& x, const Tensor& map, const Tensor& out) const;

 private:
  const Parameter *weight_ = nullptr, *bias_ = nullptr;
  ConvSpec spec_;
};

/// 2x2 transposed convolution of stride 2: doubles height and width.
class ConvTranspose2d {
 public:
  ConvTranspose2d() = default;
  /// Declares `name`.weight [C,2,2,K], He-normal, and `name`.bias [K], zero.
  ConvTranspose2d(ParameterSet& set, const std::string& name, std::int64_t C, std::int64_t K);
  Tensor operator()(Pass& pass, const Tensor& x, const Tensor& out = {}) const;

 private:
  const Parameter *weight_ = nullptr, *bias_ = nullptr;
};

enum class NormKind { batch, group, none };
const char* name_of(NormKind kind);
/// Throws `Error` listing the choices.
NormKind parse_norm(std::string_view text);

/// Groups of a group norm over C channels: 8 channels a group, or 1 group where C is no multiple.
std::int64_t group_count(std::int64_t C);

/// Batch norm, group norm (`group_count` groups) or nothing.
class Norm {
 public:
  Norm() = default;
  /// Declares `name`.weight and .bias [C] and, for batch norm, .running_mean and .running_var.
  Norm(ParameterSet& set, const std::string& name, std::int64_t C, NormKind kind);
  Tensor operator()(Pass& pass, const Tensor& x) const;
  NormKind kind() const { return kind_; }
  /// The map of the above and a relu by the running statistics. Only of batch norm.
  Tensor relu_map(Pass& pass) const;
  /// relu of the above, deferred. Not for group norm.
  Tensor deferred_relu(Pass& pass, const ops::WithMoments& x) const;

 private:
  ops::BatchNormState state() const;

  NormKind kind_ = NormKind::none;
  std::int64_t groups_ = 1;
  const Parameter *gamma_ = nullptr, *beta_ = nullptr, *mean_ = nullptr, *var_ = nullptr;
};

/// Convolution, norm and ReLU. Where a convolution writes through a map, evaluation without a tape
/// is one pass. Backends that read maps do the last two while the result is read; then the
/// convolution's result is all that is kept (`MemoryMode::lean`), or one pass writes the activation
/// down.
struct ConvNormRelu {
  Conv2d conv;
  Norm norm;

  /// The result, perhaps deferred, in `out` where that is given.
  Tensor operator()(Pass& pass, const Tensor& x, const Tensor& out = {}) const;
  /// The result for `next` alone: deferred, too, where --fuse s3 asks for that and `next` can read
  /// it.
  Tensor before(Pass& pass, const Tensor& x, const Conv2d& next) const;
  /// And max_pool2d of it.
  ops::Pooled pooled(Pass& pass, const Tensor& x, const Tensor& out) const;

 private:
  Tensor separately(Pass& pass, const Tensor& x, const Tensor& out) const;
  Tensor deferred(Pass& pass, const Tensor& x, const Tensor& out) const;
};

}  // namespace glia::nn
