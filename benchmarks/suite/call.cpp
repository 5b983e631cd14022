#include "benchmarks/suite/call.h"

#include <string_view>

#include "engine/base/check.h"

namespace glia::bench {

std::int64_t Operand::span() const {
  return view.rows() == 0 ? 0 : (view.rows() - 1) * view.pitch + view.channels();
}

std::size_t Operand::misalignment() const {
  return reinterpret_cast<std::uintptr_t>(view.data) % 64;
}

double Operand::traffic() const {
  const auto once =
      static_cast<double>(view.shape.numel()) * static_cast<double>(size_of(view.dtype));
  return role == Role::update || role == Role::add ? 2 * once : once;
}

std::string Extent::str() const {
  if (K == 0) return N * H * W == 1 ? fmt::format("{}", C) : fmt::format("{}x{}x{}x{}", N, H, W, C);
  const std::string step = stride == 1 ? "" : fmt::format("/{}", stride);
  return fmt::format("{}x{}x{} {}>{} {}x{}{}", N, H, W, C, K, R, S, step);
}

double Call::bytes() const {
  double total = 0;
  for (const Operand& operand : operands) total += operand.traffic();
  return total;
}

std::string Call::op() const {
  for (const std::string_view end : {"_map_train", "_forward_train", "_backward_train", "_forward",
                                     "_backward", "_dgrad", "_wgrad", "_step"})
    if (kernel.ends_with(end)) return kernel.substr(0, kernel.size() - end.size());
  return kernel;
}

std::string Call::phase() const {
  for (const std::string_view pass : {"dgrad", "wgrad"})
    if (kernel.ends_with(pass)) return std::string(pass);
  return part == Part::forward ? "forward" : part == Part::backward ? "backward" : "update";
}

std::string Call::key() const {
  std::string key = fmt::format("{} {} {} {}", kernel, extent.str(), extent.stride, extent.pad);
  for (const Operand& operand : operands)
    key += fmt::format(" {}:{}:{}:{}:{}:{}", operand.name, static_cast<int>(operand.role),
                       name_of(operand.view.dtype), operand.view.shape.str(), operand.view.pitch,
                       operand.misalignment());
  return key;
}

}  // namespace glia::bench
