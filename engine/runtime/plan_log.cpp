#include "engine/runtime/plan_log.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace glia {

std::size_t PlanLog::allocate(std::size_t bytes) {
  const std::size_t before = layout_.peak_live_bytes(), offset = layout_.take(bytes);
  const bool scratch = shape_.empty();
  // A kernel that runs asks for scratch memory; the one that will write a tensor is still to come.
  const std::size_t kernel = scratch && kernels_ > 0 ? kernels_ - 1 : kernels_;
  if (layout_.peak_live_bytes() > before) fullest_ = kernel;
  alive_[offset] = tensors_.size();
  if (!scratch && stage_.empty()) unnamed_.push_back(tensors_.size());
  tensors_.push_back({.layer = scratch ? layer_ : "",
                      .made_by = scratch ? kernel_ : stage_,
                      .shape = std::exchange(shape_, {}),
                      .bytes = bytes,
                      .first = kernel});
  return offset;
}

void PlanLog::release(std::size_t offset) {
  const auto found = alive_.find(offset);
  tensors_[found->second].last = kernels_ > 0 ? kernels_ - 1 : 0;
  alive_.erase(found);
  layout_.give_back(offset);
}

void PlanLog::announce(const Shape& shape, DType dtype) {
  shape_ = fmt::format("{} {}", shape.str(), name_of(dtype));
}

bool PlanLog::before(Device&, const KernelCall& call) {
  const char* name = call.kernel().name;
  for (const Operand& operand : call.operands())
    for (const std::string_view parameter : {"w", "dw", "gamma"})
      if (operand.name == parameter)
        if (const auto found = layers_.find(operand.view.data); found != layers_.end())
          layer_ = found->second;
  kernel_ = name;
  for (const std::size_t tensor : unnamed_) {
    tensors_[tensor].layer = layer_;
    tensors_[tensor].made_by = name;
  }
  unnamed_.clear();
  ++kernels_;
  return cpu_ && call.convolution() != nullptr;
}

}  // namespace glia
