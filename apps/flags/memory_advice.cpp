#include "apps/flags/memory_advice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <vector>

namespace glia {

std::string memory_advice(const CLI::App& app) {
  std::vector<std::string> given, all;
  for (const CLI::App* command : app.get_subcommands()) {
    for (const char* flag : {"--shape", "--pad-to", "--resize"})
      if (const CLI::Option* option = command->get_option_no_throw(flag);
          option != nullptr && option->count() > 0)
        given.push_back(flag);
    for (const char* flag : {"--batch-size", "--base-width", "--size"})
      if (command->get_option_no_throw(flag) != nullptr) all.push_back(flag);
  }
  if (!given.empty()) return fmt::format("use a smaller {}", fmt::join(given, " or "));
  if (!all.empty()) return fmt::format("use a smaller {}", fmt::join(all, " or "));
  return "free some, raise the limit (ulimit -v, ulimit -d), or choose smaller files";
}

}  // namespace glia
