#include "benchmarks/suite/call.h"

#include <algorithm>

#include "engine/base/check.h"

namespace glia::bench {

std::size_t misalignment(const Operand& operand) {
  return reinterpret_cast<std::uintptr_t>(operand.view.data) % 64;
}

double traffic(const Operand& operand) {
  const auto once = static_cast<double>(operand.view.shape.numel()) *
                    static_cast<double>(size_of(operand.view.dtype));
  return operand.role == Role::update || operand.role == Role::add ? 2 * once : once;
}

std::string Extent::str() const {
  if (K == 0) return N * H * W == 1 ? fmt::format("{}", C) : fmt::format("{}x{}x{}x{}", N, H, W, C);
  const std::string step = stride != stride_w ? fmt::format("/{}x{}", stride, stride_w)
                           : stride != 1      ? fmt::format("/{}", stride)
                                              : "";
  return fmt::format("{}x{}x{} {}>{} {}x{}{}", N, H, W, C, K, R, S, step);
}

double Call::bytes() const {
  double total = 0;
  for (const Operand& operand : operands) total += traffic(operand);
  return total;
}

DType Call::type() const {
  const auto is_bf16 = [](const Operand& operand) { return operand.view.dtype == DType::bf16; };
  return std::any_of(operands.begin(), operands.end(), is_bf16) ? DType::bf16 : DType::f32;
}

std::string Call::key() const {
  std::string key = fmt::format("{} {} {} {}", kernel, extent.str(), extent.pad, extent.pad_left);
  for (const Operand& operand : operands)
    key += fmt::format(" {}:{}:{}:{}:{}:{}", operand.name, static_cast<int>(operand.role),
                       name_of(operand.view.dtype), operand.view.shape.str(), operand.view.pitch,
                       misalignment(operand));
  return key;
}

}  // namespace glia::bench
