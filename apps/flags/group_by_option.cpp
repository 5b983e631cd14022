#include "apps/flags/group_by_option.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace glia {

void add_group_by_option(CLI::App& command, std::string& rule, const std::string& otherwise) {
  command.add_option(
      "--group-by", rule,
      fmt::format("What makes slices one patient's: id/N, regex:EXPRESSION or csv:FILE as in glia "
                  "split, none: unknown. Left out: {}",
                  otherwise));
}

}  // namespace glia
