// The choices that a user has of how a device computes, and their names on the command line and in
// files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/api/context.h"

namespace glia {

/// Whether a network keeps its normalised activations, or keeps only the convolutions' results and
/// lets whoever reads them normalise again: less memory, the same bits. A matter of the backends
/// that read maps; `automatic` is what is faster there.
enum class MemoryMode : std::uint8_t { automatic, fast, lean };

/// What --conv takes: auto, direct, winograd.
std::vector<std::string> conv_names();
/// Throws `Error` listing them.
ConvMethod parse_conv(std::string_view text);
const char* name_of(ConvMethod method);

/// What --memory takes: auto, fast, lean; and the same for it.
std::vector<std::string> memory_names();
MemoryMode parse_memory(std::string_view text);
const char* name_of(MemoryMode mode);

/// What --precision takes: fp32, bf16; and the same for it.
std::vector<std::string> precision_names();
ConvPrecision parse_precision(std::string_view text);
const char* name_of(ConvPrecision precision);

}  // namespace glia
