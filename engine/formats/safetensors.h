// The safetensors file format (8-byte little-endian header length, JSON header, raw tensors):
// https://github.com/huggingface/safetensors. A small reader and writer for float32 tensors; the
// header is untrusted.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace glia {

struct SafeTensors {
  struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::span<const float> values;  // written as F32
  };
  /// What a file holds, in the order of its bytes. `values` point into `bytes`.
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string bytes;
  bool checked = false;  // whether the file has checksums (engine/formats/tensor_checksums.h)

  /// Throws `Error` naming `file` and the tensor when there is none of that name and shape.
  std::span<const float> find(const std::string& name, const std::vector<std::int64_t>& shape,
                              const std::string& file) const;
};

/// Writes all entries under `path`, atomically, with their checksums among the metadata.
void write_safetensors(const std::filesystem::path& path,
                       std::span<const SafeTensors::Entry> entries,
                       const std::map<std::string, std::string>& metadata);

/// Leaves out tensors whose names end in `ignored` (unless that is empty). Throws `Error` naming
/// the file when it is truncated, its header is no valid JSON or has more than 16 MiB, a tensor is
/// not F32, offsets lie outside, overlap or do not match the shape, or a checksum does not match
/// the bytes.
SafeTensors read_safetensors(const std::filesystem::path& path, const std::string& ignored = "");
/// The same of the content of `file`.
SafeTensors decode_safetensors(std::string bytes, const std::string& file,
                               const std::string& ignored = "");

}  // namespace glia
