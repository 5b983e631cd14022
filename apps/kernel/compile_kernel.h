// From one .cu file to a shared library for the emulator, with the compiler and the flags of the
// build.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/study/child_process.h"
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

/// Throws `Error` when the sources are not where they were when it was built.
void check_has_sources();

/// Writes the source that includes the user's and has the entry point; for both flavours.
void write_wrapper(const KernelSource& source);

struct Compiled {
  std::filesystem::path library;  // empty when it does not compile
  std::string problem;            // what the compiler said then
};

/// Plain or for the race checker. The problem names the user's file as the user did.
Compiled compile_kernel(const KernelSource& source, bool race);

/// The GPU of this machine, whichever it is.
inline constexpr const char* kNativeArchitecture = "native";
/// By nvcc, for that architecture ("sm_90"). Without nvcc on the PATH the problem says so.
Compiled compile_for_gpu(const KernelSource& source, const std::string& architecture);

/// What a program said and how it ended.
struct RanCompiler {
  ProcessEnd end;
  std::string said;

  bool good() const { return end.status == 0 && end.signal == 0; }
};

/// Runs a program to its end; what it prints goes to the file `output` first.
RanCompiler run_compiler(const std::vector<std::string>& command,
                         const std::filesystem::path& output);
/// The file that `write_wrapper` writes.
std::filesystem::path wrapper_of(const KernelSource& source);
/// A compiler's words without those about the wrapper, naming the user's file as the user did.
std::string words_of_compiler(const KernelSource& source, const std::string& said);

}  // namespace glia
