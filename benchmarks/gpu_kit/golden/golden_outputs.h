// What every instruction of kernels/cuda/ptx.h and every kernel of the table gives on one device,
// and whether it is what another one gave. A file says which device wrote it: until a GPU has, that
// is the emulator.
#pragma once

#include <CLI/CLI.hpp>

namespace glia::kit {

/// gpu-kit golden: writes such a file, or compares with one.
void add_golden(CLI::App& app);

}  // namespace glia::kit
