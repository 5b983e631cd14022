#include "engine/nn/layers.h"

namespace glia::nn {

namespace {

const Tensor& value_or_none(const Parameter* parameter) {
  static const Tensor kNone;
  return parameter == nullptr ? kNone : parameter->value;
}

}  // namespace

Conv2d::Conv2d(ParameterSet& set, const std::string& name, std::int64_t C, std::int64_t K,
               std::int64_t R, bool bias)
    : weight_(&set.add(name + ".weight", {K, R, R, C}, Init::he_normal(C * R * R))),
      bias_(bias ? &set.add(name + ".bias", {K}, Init::constant(0)) : nullptr),
      spec_{.padding = Padding::same(R, R)} {}

Tensor Conv2d::operator()(Pass& pass, const Tensor& x, const Tensor& out) const {
  return ops::conv2d(pass.tape, x, weight_->value, value_or_none(bias_), spec_, out);
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

Tensor Norm::operator()(Pass& pass, const Tensor& x) const {
  switch (kind_) {
    case NormKind::batch:
      return ops::batch_norm(pass.tape, x, gamma_->value, beta_->value,
                             {.running_mean = mean_->value, .running_var = var_->value},
                             pass.training);
    case NormKind::group:
      return ops::group_norm(pass.tape, x, gamma_->value, beta_->value, groups_);
    case NormKind::none: break;
  }
  return x;
}

}  // namespace glia::nn
