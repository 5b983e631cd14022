#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/base/check.h"
#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race.h"

namespace glia::emu {
namespace {

/// Sets `number` when the environment has it.
template <class T>
void read_number(const char* variable, T& number) {
  const char* text = std::getenv(variable);
  if (!text) return;
  char* end = nullptr;
  number = static_cast<T>(std::strtoull(text, &end, 10));
  check(*text != 0 && *end == 0, "{} is '{}'; it must be a number", variable, text);
}

Options from_environment() {
  Options result;
  if (const char* name = std::getenv("GLIA_EMU_SCHEDULE")) {
    const std::string schedule = name;
    check(schedule == "first-in" || schedule == "last-in" || schedule == "random",
          "GLIA_EMU_SCHEDULE is '{}'; it must be first-in, last-in or random", schedule);
    result.schedule = schedule == "first-in"  ? Schedule::first_in
                      : schedule == "last-in" ? Schedule::last_in
                                              : Schedule::random;
  }
  read_number("GLIA_EMU_SEED", result.seed);
  read_number("GLIA_EMU_MEMORY", result.memory);
  read_number("GLIA_EMU_ARCH", result.architecture);
  check(result.architecture == 80 || result.architecture == 90,
        "GLIA_EMU_ARCH is {}; it must be 80 or 90", result.architecture);
  read_number("GLIA_EMU_DEVICES", result.devices);
  check(result.devices >= 1 && result.devices <= kMaxDevices,
        "GLIA_EMU_DEVICES is {}; it must be 1 to {}", result.devices, kMaxDevices);
  if (const char* streams = std::getenv("GLIA_EMU_STREAMS")) {
    result.late_streams = std::string(streams) == "late";
    check(result.late_streams || std::string(streams) == "now",
          "GLIA_EMU_STREAMS is '{}'; it must be late or now", streams);
  }
  if (const char* profile = std::getenv("GLIA_EMU_PROFILE");
      profile && std::string(profile) == "1") {
    result.profile = true;
    std::atexit([] { std::fputs(profile_table().c_str(), stderr); });
  }
  return result;
}

}  // namespace

Options& options() {
  static Options instance = from_environment();
  return instance;
}

std::size_t shared_limit() {
  return options().architecture >= 90 ? 227 << 10 : 163 << 10;
}

bool race_checker() {
  return race::on;
}
std::string profile_table() {
  return profile::table();
}
void clear_profile() {
  profile::clear();
}

}  // namespace glia::emu
