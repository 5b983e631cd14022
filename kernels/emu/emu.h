// Runs CUDA kernels on the CPU: what gpu::launch calls in the emulated build, and the knobs of
// tests. How it works and what it cannot show: docs/emulator.md.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace glia::emu {

/// Which of the threads that could go on does: the one that has waited longest, the one that came
/// last, or a random one.
enum class Schedule : std::uint8_t { first_in, last_in, random };

struct Options {
  Schedule schedule = Schedule::random;
  std::uint64_t seed = 0;           ///< of the schedule and of the order of blocks
  bool profile = false;             ///< count bank conflicts and sectors (instrumented builds only)
  std::size_t memory = 4ull << 30;  ///< bytes of device memory before cudaMalloc refuses
};

/// The options of the launches to come. They start from the environment: GLIA_EMU_SCHEDULE
/// (first-in, last-in, random), GLIA_EMU_SEED, GLIA_EMU_MEMORY (bytes), GLIA_EMU_PROFILE (1: the
/// table goes to stderr when the program ends).
Options& options();

struct Launch {
  dim3 grid, block;
  std::size_t smem_bytes = 0;
  const char* name = "kernel";
};

/// Runs `body(closure)` once for every thread of the grid and returns when all have finished.
/// Throws `Error` on a bad configuration, a deadlock, divergence and, in instrumented builds, on
/// races and bad accesses; device memory then holds whatever the kernel left. One launch runs at a
/// time, whatever number of host threads ask.
void run(const Launch& launch, void (*body)(void*), void* closure);

/// Does `work` now, or, while `stream` is being captured, when its graph is launched.
void submit(cudaStream_t stream, std::function<void()> work);

/// Whether the kernels were built for the race checker (-fsanitize=thread).
bool race_checker();

/// The table of counted accesses a source line so far; empty without `profile`.
std::string profile_table();
void clear_profile();

}  // namespace glia::emu
