#include "apps/flags/operation_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/flags/shape_options.h"
#include "engine/runtime/open_device.h"

namespace glia {

namespace {

std::string kernel_lines(std::string_view operation, const std::vector<BuiltBackend>& backends) {
  std::string text;
  for (const KernelInfo& kernel : kKernels) {
    if (kernel.op != operation) continue;
    std::vector<std::string> names;
    for (const BuiltBackend& backend : backends)
      if (has_kernel(*backend.kernels, kernel.id)) names.push_back(backend.name);
    text += fmt::format("  {:<32} {}\n", kernel.name, fmt::join(names, ", "));
  }
  return text;
}

}  // namespace

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const cases::Operation& operation : cases::operations())
    if (operation.at != nullptr) names.emplace_back(operation.name);
  return names;
}

std::string operation_list() {
  const std::vector<BuiltBackend> backends = built_backends();
  std::string text =
      "Operations for --op, at the shapes of a training step or at any with these flags; their\n"
      "kernels, which --op takes too, and the backends of this build that have them (cpu, and "
      "cuda\n"
      "where it is there, are --backend native on that device).\n\n";
  std::string groups =
      "Cases of the tests for --case, by operation, group or single: "
      "conv2d.windows.3\n\n";
  for (const cases::Operation& operation : cases::operations()) {
    if (operation.at != nullptr)
      text += fmt::format("{} {}\n{}", operation.name, shape_flags(operation),
                          kernel_lines(operation.name, backends));
    for (const cases::Group& group : operation.groups)
      groups +=
          fmt::format("  {:<32} {:>3}  {}\n", fmt::format("{}.{}", operation.name, group.name),
                      group.make().size(), group.text);
  }
  return text + "\n" + groups;
}

}  // namespace glia
