// glia doctor: what this build is and what it finds on this machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/flags/help_text.h"
#include "apps/runs/environment.h"
#include "engine/base/bytes.h"
#include "engine/runtime/memory_room.h"
#include "engine/runtime/open_device.h"

namespace glia {

namespace {

/// A line a value; those of an object under its name.
void print_table(const nlohmann::ordered_json& table, const std::string& prefix = "") {
  for (const auto& [name, value] : table.items())
    if (value.is_object())
      print_table(value, name + " ");
    else
      fmt::print("{:<16} {}\n", prefix + name,
                 wrap(value.is_string() ? value.get<std::string>() : value.dump(), 63, 17));
}

}  // namespace

void add_doctor_command(CLI::App& app) {
  auto* command = app.add_subcommand("doctor", "Shows device, build, versions and threads");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print JSON instead of a table");
  auto device = std::make_shared<std::string>();
  command->add_option("--device", *device, "Fail, saying why, unless this device can be used");
  command->footer("Example:\n  glia doctor --device cuda");
  command->callback([as_json, device] {
    if (!device->empty()) open_device({.device = *device});
    const auto room = least_memory();  // before libraries are loaded to be looked at
    auto environment = describe_environment(Look::close);
    if (room)
      environment["memory free"] = fmt::format("{:.0f} MiB under {}", mib(room->free), room->str());
    if (*as_json) return fmt::print("{}\n", environment.dump(2));
    print_table(environment);
  });
}

}  // namespace glia
