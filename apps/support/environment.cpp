#include "apps/support/environment.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "engine/runtime/device.h"
#include "kernels/cpu/table.h"

namespace glia {

namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string memory() {
  const double bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  return fmt::format("{:.1f} GiB", bytes / (1 << 30));
}

}  // namespace

nlohmann::ordered_json describe_environment() {
  utsname system{};
  uname(&system);
  return {{"glia", GLIA_VERSION},
          {"build", GLIA_BUILD_TYPE},
          {"compiler", GLIA_COMPILER},
          {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"cpu", cpu_model()},
          {"instruction set", cpu::instruction_set()},
          {"cores", available_cores()},
          {"memory", memory()},
          {"fmt", FMT_VERSION},
          {"json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                               NLOHMANN_JSON_VERSION_PATCH)},
          {"devices", {"cpu"}},
          {"gpu", "none: this build has no GPU backend"}};
}

}  // namespace glia
