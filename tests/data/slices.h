// Small slices and hand-written .npy files for the tests of the data layer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/formats/npy.h"

namespace glia {

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  check(out.good(), "{}: the test cannot write it", path.string());
}

/// A .npy file of any version around a dictionary and raw data.
inline std::string npy_bytes(int version, const std::string& dictionary, std::string_view data) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  const int width = version == 1 ? 2 : 4;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(dictionary.size() >> (8 * i) & 255);
  return bytes + dictionary + std::string(data);
}

/// A 4x4x2 image whose values follow from `value`, and its mask with `tumour` pixels set to one.
inline void write_pair(const std::filesystem::path& folder, const std::string& id, float value,
                       std::size_t tumour) {
  std::vector<float> image(32);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = value + static_cast<float>(i);
  std::vector<std::uint8_t> mask(16, 0);
  for (std::size_t i = 0; i < tumour; ++i) mask[i] = 1;
  std::filesystem::create_directories(folder);
  write_npy<float>(folder / (id + "_img.npy"), {4, 4, 2}, image);
  write_npy<std::uint8_t>(folder / (id + "_seg.npy"), {4, 4}, mask);
}

/// The message of the `Error` that `action` throws; empty when it throws none.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace glia
