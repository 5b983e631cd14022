// Numbers for places in the source: an address of instrumented code, or a Site. Names are looked up
// only when a report or a profile needs them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/emu/site.h"

namespace glia::emu {

/// From now on the shared library that `inside` lies in counts as this program's.
void add_library(const void* inside);

/// The place of a return address in this program; 0 elsewhere.
std::uint32_t place_of(const void* return_address);
std::uint32_t place_of(Site site);

/// "tests/emu/kernels/reduce.cu:31" for each; with one run of addr2line for all that are new.
/// "code+0x1234" where addr2line or debug information is missing.
std::vector<std::string> place_names(const std::vector<std::uint32_t>& places);

/// Whether `address` lies in this program's own code and data.
bool in_program(const void* address);

}  // namespace glia::emu
