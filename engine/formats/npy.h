// NumPy's .npy files, versions 1 to 3 (format: numpy.lib.format in NumPy's documentation). Any byte
// order, C or Fortran order, bool, integer and float element types. The header is untrusted: sizes
// are checked against the file before anything is allocated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/if_there.h"

namespace glia {

/// What a header says.
struct NpyInfo {
  std::vector<std::int64_t> shape;
  std::string dtype;  // as in the file: "<f4", "|u1", ">i2"
  bool fortran_order = false;
  std::int64_t numel() const;
  /// "float32 [240, 240, 3]"
  std::string str() const;
};

/// An array converted to float32 in C order. Integers beyond 2^24 lose precision, as in NumPy's
/// astype.
struct NpyArray {
  NpyInfo info;
  std::vector<float> values;
};

/// Reads the header only. Throws `Error` naming the file on anything that is not a plain .npy
/// array: zip (.npz), pickled objects, structured types, truncated or inconsistent headers.
NpyInfo read_npy_info(const std::filesystem::path& path);

/// Reads the whole array. Throws `Error` as above, and when the file is shorter or longer than its
/// header says.
NpyArray read_npy(const std::filesystem::path& path);
/// The same of the content of the file `name`.
NpyArray decode_npy(std::string_view bytes, const std::string& name);

/// Whether the extents are those of an image or mask with its channels in front, [3, 240, 240] or
/// [1, 240, 240], as other programs keep them: no slice is that low and has that many channels.
bool looks_channels_first(const std::vector<std::int64_t>& shape);
/// "[3, 240, 240]: channels first? …", and how to mend it.
std::string channels_first_problem(const std::vector<std::int64_t>& shape);

/// Writes version 1.0, C order, to a temporary name that is then renamed. Throws `Error` when the
/// disk refuses. T is float (<f4) or std::uint8_t (|u1). For `flush` and `if_there` see
/// write_file_atomically.
template <class T>
void write_npy(const std::filesystem::path& path, const std::vector<std::int64_t>& shape,
               std::span<const T> values, bool flush = true, IfThere if_there = IfThere::replace);

}  // namespace glia
