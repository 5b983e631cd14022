#include "apps/kernel/kernel_names.h"

#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "engine/base/check.h"

namespace glia {

namespace {

constexpr const char* kArguments[] = {
#define GLIA_KERNEL(name, Args, op, phase) #Args,
#include "kernels/api/list.h"
};

}  // namespace

std::string dotted_name(const KernelInfo& kernel) {
  const std::string_view name = kernel.name, op = kernel.op;
  if (!name.starts_with(op) || name.size() <= op.size() || name[op.size()] != '_')
    return kernel.name;
  return fmt::format("{}.{}", op, name.substr(op.size() + 1));
}

const KernelInfo& kernel_of_name(const std::string& name) {
  std::vector<std::string> near, all;
  const std::string operation = name.substr(0, name.find('.'));
  for (const KernelInfo& kernel : kKernels) {
    const std::string dotted = dotted_name(kernel);
    if (name == dotted || name == kernel.name) return kernel;
    if (operation == kernel.op) near.push_back(dotted);
    all.push_back(dotted);
  }
  fail("--as: found '{}', expected one of {}", name, fmt::join(near.empty() ? all : near, ", "));
}

std::string declaration_of(const KernelInfo& kernel) {
  return fmt::format("void {}(glia::KernelContext&, const glia::{}&)", kernel.name,
                     kArguments[static_cast<std::size_t>(kernel.id)]);
}

}  // namespace glia
