#include "apps/kernel/kernel_templates.h"

#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "glia_kernel_templates.h"

namespace glia {

std::string kernel_template(const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& [its_name, text] : kernel_build::kTemplates) {
    if (name == its_name) return text;
    names.push_back(its_name);
  }
  fail("--new: found '{}', expected one of {}; other kernels begin with the nearest of them", name,
       fmt::join(names, ", "));
}

}  // namespace glia
