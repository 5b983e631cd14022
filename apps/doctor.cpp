// glia doctor: what this build is and what it finds on this machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/support/environment.h"

namespace glia {

void add_doctor_command(CLI::App& app) {
  auto* command = app.add_subcommand("doctor", "Shows device, build, versions and threads");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print JSON instead of a table");
  command->footer("Example:\n  glia doctor");
  command->callback([as_json] {
    const auto environment = describe_environment();
    if (*as_json) return fmt::print("{}\n", environment.dump(2));
    for (const auto& [name, value] : environment.items())
      fmt::print("{:<16} {}\n", name,
                 value.is_string() ? value.template get<std::string>() : value.dump());
  });
}

}  // namespace glia
