#include "engine/runtime/layer_names.h"

namespace glia {

void LayerNames::add(const ConstView& view, const std::string& parameter) {
  const std::size_t bytes = static_cast<std::size_t>(view.shape.numel()) * size_of(view.dtype);
  parameters_[view.data] = {parameter, layer_of(parameter), bytes};
}

std::string LayerNames::of(const KernelCall& call, Phase phase) {
  if (call.kernel().phase == Phase::update) return "all parameters";
  const std::vector<Operand> operands = call.operands();
  const auto find = [&]() -> std::string {
    for (const Operand& operand : operands)
      if (const auto found = parameters_.find(operand.view.data); found != parameters_.end())
        return found->second.layer;
    for (const Operand& operand : operands)
      if (const auto found = made_by_.find(operand.view.data); found != made_by_.end())
        return found->second;
    return last_;
  };
  last_ = find();
  for (const Operand& operand : operands) {
    if (!operand.written()) continue;
    if (phase == Phase::forward)
      made_by_[operand.view.data] = last_;
    else
      made_by_.erase(operand.view.data);  // a gradient, in memory that an activation had
  }
  return last_;
}

std::string LayerNames::parameter_at(const void* address) const {
  auto after = parameters_.upper_bound(address);
  if (after == parameters_.begin()) return "";
  const auto& [start, parameter] = *--after;
  const auto distance = static_cast<const char*>(address) - static_cast<const char*>(start);
  return static_cast<std::size_t>(distance) < parameter.bytes ? parameter.name : "";
}

}  // namespace glia
