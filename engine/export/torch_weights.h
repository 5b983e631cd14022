// Weights for PyTorch and from it: safetensors files whose tensors have PyTorch's layout. The names
// are the same on both sides; docs/interchange.md lists them.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "engine/formats/safetensors.h"
#include "engine/nn/parameters.h"

namespace glia {

/// Writes all parameters and buffers, and `info` as metadata.
void export_weights(const std::filesystem::path& path, const nn::ParameterSet& parameters,
                    const nlohmann::json& info);

/// A file of weights: from `export_weights`, or from PyTorch. Counters of batches
/// (num_batches_tracked) are left out. Throws `Error` naming the file when it is damaged, holds
/// other types than F32, or is a checkpoint of Glia.
SafeTensors read_weights(const std::filesystem::path& path);

/// What `export_weights` was given as `info`; null when the file has none. Throws `Error`, led by
/// `file`, when it is damaged.
nlohmann::json info_of(const SafeTensors& weights, const std::string& file);

/// Throws `Error` naming `file` and the tensor that is missing, has another shape, or has no place
/// in `parameters`, which need not be allocated: what a file says of its size is believed only
/// then.
void check_weights(const SafeTensors& weights, const nn::ParameterSet& parameters,
                   const std::string& file);

/// Copies all tensors into the allocated `parameters`. Throws `Error` where `check_weights` does.
void import_weights(const SafeTensors& weights, nn::ParameterSet& parameters,
                    const std::string& file);

}  // namespace glia
