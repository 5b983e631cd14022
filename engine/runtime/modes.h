// The choices that a user has of how a device computes, and their names on the command line and in
// files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/api/context.h"

namespace glia {

/// Whether a network keeps its normalised activations, or keeps only the convolutions' results and
/// lets whoever reads them normalise again: less memory, the same bits. A matter of the backends
/// that read maps; `automatic` is what is faster there.
enum class MemoryMode : std::uint8_t { automatic, fast, lean };

/// How far passes over memory are fused, for comparison and teaching: none (a pass an operation),
/// s1 (norm, ReLU and pooling in one), s2 (that, and moments and maps of a convolution's results
/// while they are registers), s3 (that, and convolutions normalise what they read, where their
/// kernels can) or what the backend is expected to be fastest with: s2 on a GPU, all on the CPU.
/// The results agree within rounding; those of s2 and s3 to the bit.
enum class Fuse : std::uint8_t { automatic, none, s1, s2, s3 };

/// What --conv takes: auto, the CPU's direct and winograd, our GPU kernels' naive, tiled, mma and
/// halo.
std::vector<std::string> conv_names();
/// Throws `Error` listing them.
ConvMethod parse_conv(std::string_view text);
const char* name_of(ConvMethod method);

/// What --memory takes: auto, fast, lean; and the same for it.
std::vector<std::string> memory_names();
MemoryMode parse_memory(std::string_view text);
const char* name_of(MemoryMode mode);

/// What --fuse takes: auto, none, s1, s2, s3; and the same for it.
std::vector<std::string> fuse_names();
Fuse parse_fuse(std::string_view text);
const char* name_of(Fuse fuse);

/// The precision of a convolution, as files have it: fp32, tf32 or bf16.
ConvPrecision parse_precision(std::string_view text);
const char* name_of(ConvPrecision precision);

/// What --precision takes: auto (no value: the device's default) and these; and the same for it.
std::vector<std::string> precision_choices();
std::optional<ConvPrecision> parse_precision_choice(std::string_view text);
const char* name_of(std::optional<ConvPrecision> choice);

}  // namespace glia
