// The parameters of a model: named tensors that are views into one flat buffer, with their
// gradients in a second one, so that an optimizer step is one launch.
#pragma once

#include <deque>
#include <string>

#include "engine/tensor/tensor.h"

namespace glia::nn {

/// How a parameter starts.
struct Init {
  enum class Kind { constant, he_normal } kind = Kind::constant;
  double value = 0;         // constant
  std::int64_t fan_in = 1;  // he_normal: standard deviation sqrt(2 / fan_in) (He et al., 2015)

  static Init constant(double value) { return {Kind::constant, value, 1}; }
  static Init he_normal(std::int64_t fan_in) { return {Kind::he_normal, 0, fan_in}; }
};

/// A trained tensor, or a buffer (running statistics) that is saved but not trained.
struct Parameter {
  std::string name;
  Shape shape;
  Init init;
  Tensor value;  // defined once the set is allocated
};

class ParameterSet {
 public:
  ParameterSet() = default;
  ParameterSet(const ParameterSet&) = delete;
  ParameterSet& operator=(const ParameterSet&) = delete;

  /// Declares a tensor; the reference stays valid. Names must be unique.
  Parameter& add(std::string name, const Shape& shape, const Init& init);
  Parameter& add_buffer(std::string name, const Shape& shape, double value);

  /// Allocates the flat buffers, everything 0: for weights that come from a checkpoint.
  void allocate(Device& device);
  /// The same, and fills them. Each parameter draws from the stream of its place
  /// in the set, so `seed` fixes all of them.
  void allocate(Device& device, std::uint64_t seed);

  /// Says that the next backward pass overwrites every gradient.
  void clear_grads();
  /// Zeroes the gradients that the backward pass did not write.
  void finish_grads();

  const std::deque<Parameter>& parameters() const { return parameters_; }
  const std::deque<Parameter>& buffers() const { return buffers_; }
  /// All trained values and all gradients, one-dimensional; each parameter begins at a multiple of
  /// 16 elements and the gaps are 0.
  const Tensor& flat_values() const { return values_; }
  const Tensor& flat_grads() const { return grads_; }
  /// The gradients and, on a device of several ranks, zeros up to a multiple of 16 times the ranks.
  const Tensor& padded_grads() const { return padded_grads_; }
  /// The trained values in the type of activations, laid out likewise: what an optimizer's step
  /// writes besides. Undefined where activations have the type of parameters.
  const Tensor& flat_shadow() const { return shadow_; }
  /// What belongs to a parameter of this set in a buffer laid out like those two.
  Tensor part(const Tensor& flat, const Parameter& parameter) const;
  /// Whether backward passes compute the gradients of the parameters; they do unless told
  /// otherwise.
  void set_wants_grads(bool wanted);
  /// Number of trained values, without the gaps.
  std::int64_t count() const;

 private:
  void check_unique(const std::string& name) const;

  std::deque<Parameter> parameters_, buffers_;
  std::deque<Tensor> gradients_;
  Tensor values_, grads_, padded_grads_, shadow_;
};

/// While it lives, no parameter of the set wants a gradient: for backward passes that ask for
/// another one.
class Frozen {
 public:
  explicit Frozen(ParameterSet& set) : set_(set) { set_.set_wants_grads(false); }
  ~Frozen() { set_.set_wants_grads(true); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  ParameterSet& set_;
};

}  // namespace glia::nn
