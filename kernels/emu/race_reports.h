// The problems that the race checker found in a launch.
#pragma once

#include <functional>
#include <string>

#include "kernels/emu/race.h"
#include "kernels/emu/shadow.h"

namespace glia::emu::race {

/// Counts a problem of `place` (with `other`, 0 for none); `tail()` says more about it, with {} for
/// the other place, and is called the first time only.
void add_report(const char* kind, Access access, std::uint32_t place, std::uint32_t other,
                const std::function<std::string()>& tail);
void clear_reports();

/// "read", "write" or "atomic".
const char* verb(Access kind);
/// Whose access it was, as a report names it.
std::string who(const Record& record);

}  // namespace glia::emu::race
