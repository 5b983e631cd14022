// The first value that is not finite, and who made it: --check-nan.
#pragma once

#include "engine/runtime/layer_names.h"
#include "engine/runtime/watch.h"

namespace glia {

/// Looks at everything that each kernel writes, and throws `Error` at the first NaN or infinity: it
/// names the layer, the kernel, the tensor and the element, and says whether one of the operands
/// held such a value already. Waits for the device after each kernel and copies its results to the
/// host, so a step takes many times as long.
class CheckNan : public Watcher {
 public:
  void name(const ConstView& view, const std::string& parameter) override;
  void begin(Phase phase) override { phase_ = phase; }
  bool before(Device& device, const KernelCall& call) override;
  void after(Device& device, const KernelCall& call) override;

 private:
  Phase phase_ = Phase::forward;
  LayerNames layers_;
  std::string layer_, tainted_;  // of the call that runs; its operand that was not finite before
};

}  // namespace glia
