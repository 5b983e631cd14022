// Runs CUDA kernels on the CPU: what gpu::launch calls in the emulated build, and the knobs of
// tests. How it works and what it cannot show: docs/emulator.md.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
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
  int architecture = 90;            ///< 80 or 90: limits of a block, rounding of tensor cores
  int devices = 1;                  ///< how many there are, each with that memory
  bool late_streams = true;         ///< works run when they are waited for, not when queued
};

/// Bytes of shared memory that a block may have where its kernel asks for more than the 48 KiB that
/// all have: 163 KiB on sm_80, 227 on sm_90.
std::size_t shared_limit();

/// The options of the launches to come. They start from the environment: GLIA_EMU_SCHEDULE
/// (first-in, last-in, random), GLIA_EMU_SEED, GLIA_EMU_MEMORY (bytes), GLIA_EMU_ARCH (80, 90),
/// GLIA_EMU_DEVICES (1 to 16), GLIA_EMU_STREAMS (late, now), GLIA_EMU_PROFILE (1: the table goes to
/// stderr when the program ends).
Options& options();

struct Launch {
  dim3 grid, block;
  std::size_t smem_bytes = 0;
  const char* name = "kernel";
  const void* kernel = nullptr;  // its bounds are checked where that is given
  int device = 0;
};

/// Throws `Error` when a GPU would refuse the launch: blocks or grids of wrong sizes, more threads
/// than the kernel's __launch_bounds__, more shared memory than there is.
void check_launch(const Launch& launch);

/// Runs `body(closure)` once for every thread of the grid and returns when all have finished.
/// Throws `Error` on a bad configuration, a deadlock, divergence and, in instrumented builds, on
/// races and bad accesses; device memory then holds whatever the kernel left. One launch runs at a
/// time, whatever number of host threads ask.
void run(const Launch& launch, void (*body)(void*), void* closure);

struct Bytes {
  const void* data;
  std::size_t count;
};

/// Queues `work`, which runs a launch, on `stream`, or adds it to the graph that is being captured
/// there. Throws `Error` for what `check_launch` refuses, for more than 48 KiB of shared memory
/// where cudaFuncSetAttribute has not raised that, and for a stream, or memory in `arguments`, of
/// the wrong device.
void queue_kernel(cudaStream_t stream, const Launch& launch, std::initializer_list<Bytes> arguments,
                  std::function<void()> work);

/// Whether the kernels were built for the race checker (-fsanitize=thread).
bool race_checker();

/// The table of counted accesses a source line so far; empty without `profile`.
std::string profile_table();
void clear_profile();

}  // namespace glia::emu
