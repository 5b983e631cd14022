// A look at what one layer gives.
#pragma once

#include <string>
#include <vector>

#include "engine/tensor/tensor.h"

namespace glia::nn {

/// Keeps the result of one layer of a forward pass, for whoever wants to look at it or at its
/// gradient.
class Probe {
 public:
  explicit Probe(std::string layer) : layer_(std::move(layer)) {}

  /// Called through `Pass::note`. The result is asked to want a gradient; while nothing before it
  /// wants one (`Frozen`), it is a leaf, whose gradient stays after the backward pass.
  void see(const std::string& layer, const Tensor& value);
  /// What the layer gave in the last pass, of the shape that it has there. Throws `Error` listing
  /// the layers that the model has when this one was not among them.
  const Tensor& value() const;

 private:
  std::string layer_;
  std::vector<std::string> seen_;
  Tensor value_;
};

}  // namespace glia::nn
