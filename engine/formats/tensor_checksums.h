// Fingerprints of what a safetensors file holds, kept in its metadata: they find bytes that a disk
// or a cable has changed.
#pragma once

#include <map>
#include <span>
#include <string>

#include "engine/formats/safetensors.h"

namespace glia {

/// The key of the metadata under which they stand, as JSON: "metadata", a fingerprint of all other
/// keys and values, and "tensors", one of the bytes of each tensor, by name (engine/base/hash.h).
inline constexpr const char* kChecksumKey = "xxh3";

/// What stands under that key.
std::string tensor_checksums(std::span<const SafeTensors::Entry> entries,
                             const std::map<std::string, std::string>& metadata);

/// Compares a file with its checksums; false when it has none, as files of other programs and of
/// earlier versions. Tensors that end in `ignored` (unless that is empty) need not be there. Throws
/// `Error` naming `file` and what differs.
bool check_tensor_checksums(const SafeTensors& tensors, const std::string& ignored,
                            const std::string& file);

}  // namespace glia
