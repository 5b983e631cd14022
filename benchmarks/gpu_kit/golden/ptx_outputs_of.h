// The instructions' outputs of a backend that this build has. For host code, which does not see
// both builds of the kernels at once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace glia::kit {

/// Words that each of the 32 lanes may write.
inline constexpr int kGoldenWords = 8;

struct PtxOutput {
  const char* name;
  int major;  // compute capability that the instruction needs
  /// Queues the kernel on a stream; it writes [32, kGoldenWords] words, and what it leaves out
  /// stays.
  void (*run)(void* stream, void* out);
};

/// "emu" or "cuda"; none where this build has not the backend.
std::span<const PtxOutput> ptx_outputs_of(std::string_view backend);

}  // namespace glia::kit
