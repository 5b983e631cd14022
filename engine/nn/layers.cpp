#include "engine/nn/layers.h"

namespace glia::nn {

namespace {

const Tensor& value_or_none(const Parameter* parameter) {
  static const Tensor kNone;
  return parameter == nullptr ? kNone : parameter->value;
}

}  // namespace

Tensor as_activations(Pass& pass, const Tensor& images) {
  const DType type = pass.tape.device().kernels().activations;
  if (images.dtype() == type) return images;
  return ops::scale(pass.tape, images, 1, Tensor::empty(images.device(), images.shape(), type));
}

Conv2d::Conv2d(ParameterSet& set, const std::string& name, std::int64_t C, std::int64_t K,
               std::int64_t R, bool bias)
    : weight_(&set.add(name + ".weight", {K, R, R, C}, Init::he_normal(C * R * R))),
      bias_(bias ? &set.add(name + ".bias", {K}, Init::constant(0)) : nullptr),
      spec_{.padding = Padding::same(R, R)} {}

Tensor Conv2d::operator()(Pass& pass, const Tensor& x, const Tensor& out) const {
  return ops::conv2d(pass.tape, x, weight_->value, value_or_none(bias_), spec_, out);
}

ops::WithMoments Conv2d::with_moments(Pass& pass, const Tensor& x, const Tensor& out) const {
  return ops::conv2d_moments(pass.tape, x, weight_->value, value_or_none(bias_), spec_, out);
}

bool Conv2d::reads_map(const Pass& pass, const Shape& x) const {
  return ops::conv2d_reads_map(pass.tape, conv2d_geometry(x, weight_->value.shape(), spec_),
                               weight_->value);
}

Tensor Conv2d::mapped(Pass& pass, const Tensor& x, const Tensor& map, const Tensor& out) const {
  return ops::conv2d_mapped(pass.tape, x, weight_->value, value_or_none(bias_), spec_, map, out);
}

// Every output pixel meets one tap, so its fan-in is C alone.
ConvTranspose2d::ConvTranspose2d(ParameterSet& set, const std::string& name, std::int64_t C,
                                 std::int64_t K)
    : weight_(&set.add(name + ".weight", {C, 2, 2, K}, Init::he_normal(C))),
      bias_(&set.add(name + ".bias", {K}, Init::constant(0))) {}

Tensor ConvTranspose2d::operator()(Pass& pass, const Tensor& x, const Tensor& out) const {
  return ops::conv_transpose2d(pass.tape, x, weight_->value, bias_->value,
                               {.stride_h = 2, .stride_w = 2, .padding = {}}, out);
}

const char* name_of(NormKind kind) {
  switch (kind) {
    case NormKind::batch: return "batch";
    case NormKind::group: return "group";
    case NormKind::none: return "none";
  }
  return "?";
}

NormKind parse_norm(std::string_view text) {
  for (NormKind kind : {NormKind::batch, NormKind::group, NormKind::none})
    if (text == name_of(kind)) return kind;
  fail("--norm: found '{}', expected batch, group or none", text);
}

std::int64_t group_count(std::int64_t C) {
  return C % 8 == 0 ? C / 8 : 1;
}

Norm::Norm(ParameterSet& set, const std::string& name, std::int64_t C, NormKind kind)
    : kind_(kind), groups_(group_count(C)) {
  if (kind == NormKind::none) return;
  gamma_ = &set.add(name + ".weight", {C}, Init::constant(1));
  beta_ = &set.add(name + ".bias", {C}, Init::constant(0));
  if (kind != NormKind::batch) return;
  mean_ = &set.add_buffer(name + ".running_mean", {C}, 0);
  var_ = &set.add_buffer(name + ".running_var", {C}, 1);
}

ops::BatchNormState Norm::state() const {
  return {.running_mean = mean_->value, .running_var = var_->value};
}

Tensor Norm::relu_map(Pass& pass) const {
  return ops::batch_norm_relu_map(pass.tape, gamma_->value, beta_->value, state());
}

Tensor Norm::deferred_relu(Pass& pass, const ops::WithMoments& x) const {
  check(kind_ != NormKind::group, "norm: a group norm cannot be deferred");
  if (kind_ == NormKind::none) return ops::deferred_relu(pass.tape, x.y);
  return ops::batch_norm_relu(pass.tape, x, gamma_->value, beta_->value, state(), pass.training);
}

Tensor Norm::operator()(Pass& pass, const Tensor& x) const {
  switch (kind_) {
    case NormKind::batch:
      return ops::batch_norm(pass.tape, x, gamma_->value, beta_->value, state(), pass.training);
    case NormKind::group:
      return ops::group_norm(pass.tape, x, gamma_->value, beta_->value, groups_);
    case NormKind::none: break;
  }
  return x;
}

namespace {

bool reads_maps(const Pass& pass) {
  return pass.tape.device().kernels().maps == Maps::read;
}

/// Where maps are only written down, a ReLU without a batch norm is one pass as it is.
bool defers(const Pass& pass, const Norm& norm) {
  const bool makes_maps = pass.tape.device().kernels().maps == Maps::written;
  return (reads_maps(pass) && norm.kind() != NormKind::group) ||
         (makes_maps && norm.kind() == NormKind::batch);
}

/// Whether the convolution writes the activation itself: statistics are known and nobody asks for
/// what they are of.
bool maps_results(const Pass& pass, const Norm& norm) {
  return pass.tape.device().kernels().maps_results && norm.kind() == NormKind::batch &&
         !pass.training && !pass.tape.records() && pass.probe == nullptr;
}

/// A probe looks at activations, so they are kept; so are those that nobody else would map.
bool keeps_activations(const Pass& pass) {
  return !reads_maps(pass) || pass.probe != nullptr ||
         pass.tape.device().memory_mode() == MemoryMode::fast;
}

}  // namespace

Tensor ConvNormRelu::separately(Pass& pass, const Tensor& x, const Tensor& out) const {
  return ops::relu(pass.tape, norm(pass, conv(pass, x)), out);
}

Tensor ConvNormRelu::deferred(Pass& pass, const Tensor& x, const Tensor& out) const {
  const Tensor place = keeps_activations(pass) ? Tensor() : out;
  const bool moments =
      pass.training && norm.kind() == NormKind::batch && pass.tape.device().kernels().gives_moments;
  return norm.deferred_relu(pass, moments ? conv.with_moments(pass, x, place)
                                          : ops::WithMoments{.y = conv(pass, x, place)});
}

Tensor ConvNormRelu::operator()(Pass& pass, const Tensor& x, const Tensor& out) const {
  if (maps_results(pass, norm)) return conv.mapped(pass, x, norm.relu_map(pass), out);
  if (!defers(pass, norm)) return separately(pass, x, out);
  const Tensor y = deferred(pass, x, out);
  return keeps_activations(pass) ? ops::materialise(pass.tape, y, out) : y;
}

Tensor ConvNormRelu::before(Pass& pass, const Tensor& x, const Conv2d& next) const {
  const bool wanted = pass.tape.device().fusion() == Fuse::s3 && pass.probe == nullptr;
  if (!wanted || reads_maps(pass) || maps_results(pass, norm) || !defers(pass, norm))
    return (*this)(pass, x);
  const Tensor y = deferred(pass, x, {});
  return next.reads_map(pass, y.shape()) ? y : ops::materialise(pass.tape, y);
}

ops::Pooled ConvNormRelu::pooled(Pass& pass, const Tensor& x, const Tensor& out) const {
  const bool fused = !maps_results(pass, norm) && defers(pass, norm) && keeps_activations(pass);
  if (fused) return ops::materialise_pool(pass.tape, deferred(pass, x, out), out);
  const Tensor y = (*this)(pass, x, out);
  return {y, ops::max_pool2d(pass.tape, y)};
}

}  // namespace glia::nn
