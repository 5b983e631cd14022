// What the emulator's profile has counted, as numbers.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

#include "kernels/emu/emu.h"

namespace glia::test {

/// Sectors of device memory that kernels touched, and instructions of warps that did.
struct Counted {
  std::uint64_t instructions = 0, sectors = 0;
};

/// Since the profile was cleared.
inline Counted counted_so_far() {
  const std::string unit = "32-byte sectors";
  Counted sum;
  std::istringstream lines(emu::profile_table());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(unit);
    if (at == std::string::npos) continue;
    std::istringstream fields(line.substr(at + unit.size()));
    std::uint64_t instructions = 0, sectors = 0;
    fields >> instructions >> sectors;
    sum.instructions += instructions;
    sum.sectors += sectors;
  }
  return sum;
}

}  // namespace glia::test
