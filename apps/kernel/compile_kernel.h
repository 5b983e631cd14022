// From one .cu file to a shared library for the emulator, with the compiler and the flags of the
// build.
#pragma once

#include <filesystem>
#include <string>

#include "kernels/api/table.h"

namespace glia {

struct KernelSource {
  std::string file;  // as the user gave it
  const KernelInfo& kernel;
  std::filesystem::path folder;  // where what is made of it goes
};

/// Throws `Error` when this build has no emulator, or its sources, its compiler or the programs
/// that judge are not where they were when it was built.
void check_can_compile();

/// Writes the source that includes the user's and has the entry point; for both flavours.
void write_wrapper(const KernelSource& source);

struct Compiled {
  std::filesystem::path library;  // empty when it does not compile
  std::string problem;            // what the compiler said then
};

/// Plain or for the race checker. The problem names the user's file as the user did.
Compiled compile_kernel(const KernelSource& source, bool race);

/// Registers and spills of each __global__ function by nvcc's assembler for sm_90, a line each; ""
/// without nvcc on the PATH.
std::string registers_of(const KernelSource& source);

}  // namespace glia
