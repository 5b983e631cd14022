#include <algorithm>

#include "engine/nn/probe.h"

namespace glia::nn {

void Probe::see(const std::string& layer, const Tensor& value) {
  seen_.push_back(layer);
  if (layer != layer_) return;
  value.set_wants_grad(true);
  value_ = value;
}

const Tensor& Probe::value() const {
  check(value_.defined(), "--layer: found '{}', this network has: {}", layer_,
        fmt::join(seen_, ", "));
  return value_;
}

}  // namespace glia::nn
