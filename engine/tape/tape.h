// The tape: operations in the order in which they ran. Walking it backwards is the backward pass;
// each node is dropped as soon as it is done, and with it the tensors it had saved.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include "engine/tensor/tensor.h"

namespace glia {

/// Where a gradient kernel writes, and whether it overwrites or accumulates.
struct GradTarget {
  View view;
  Write write = Write::overwrite;
};

class Tape {
 public:
  enum class Mode { record, off };
  explicit Tape(Device& device, Mode mode = Mode::record) : device_(device), mode_(mode) {
    device.begin(Phase::forward);
  }
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  Device& device() const { return device_; }
  /// Whether operations are kept for a backward pass.
  bool records() const { return mode_ == Mode::record; }

  /// Called by an operation after it ran: `backward` gets the gradient of `output` and must give
  /// every input that wants one its share through `grad_target` or `pass_grad`. Does nothing when
  /// no input wants a gradient.
  using Backward = std::function<void(Tape&, const Tensor& dy)>;
  void record(const char* op, std::initializer_list<Tensor> inputs, const Tensor& output,
              Backward backward);

  /// Memory for the gradient of `x`, allocated on the first call, which overwrites.
  GradTarget grad_target(const Tensor& x);
  /// Gives `x` the memory of `grad` itself instead of a copy when it is the first gradient of `x`;
  /// adds it otherwise. Only for gradients that nobody else holds.
  void pass_grad(const Tensor& x, const Tensor& grad);

  /// Runs the tape backwards from `output` and empties it. `dy` is the gradient to start from, of
  /// the output's shape; it may be left out for a loss of one element, and is then 1. Gradients of
  /// leaves add up over several backward passes until `Tensor::bind_grad`.
  void backward(const Tensor& output, const Tensor& dy = {});
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    const char* op;
    Tensor output;
    Backward backward;
  };

  Device& device_;
  Mode mode_;
  std::vector<Node> nodes_;
};

}  // namespace glia
