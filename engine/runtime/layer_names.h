// Which layer of a network a kernel call belongs to, told by the addresses of its operands.
#pragma once

#include <map>
#include <string>

#include "engine/runtime/watch.h"

namespace glia {

/// The name without its last part: "encoder.0.conv1" of "encoder.0.conv1.weight".
inline std::string layer_of(const std::string& parameter) {
  return parameter.substr(0, parameter.rfind('.'));
}

class LayerNames {
 public:
  /// Says that a parameter or its gradient lies here.
  void add(const ConstView& view, const std::string& parameter);
  /// The layer whose parameter the call uses; else the one that made, in the forward pass, the
  /// first operand that some layer made; else that of the call before. Calls must come in order.
  std::string of(const KernelCall& call, Phase phase);
  /// The parameter that lies at this address; "" where none does.
  std::string parameter_at(const void* address) const;

 private:
  struct Parameter {
    std::string name, layer;
    std::size_t bytes;
  };
  std::map<const void*, Parameter> parameters_;
  std::map<const void*, std::string> made_by_;
  std::string last_;
};

}  // namespace glia
