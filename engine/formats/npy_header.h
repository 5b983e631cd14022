// The header of a .npy file: magic, version, and a Python dictionary literal that says the dtype,
// the order and the shape. Nothing in it is believed before it is checked against the file's size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/formats/npy.h"

namespace glia {

/// No header of a plain array comes near this; version 1 cannot exceed it.
inline constexpr std::size_t kMaxNpyHeader = 65536;

struct NpyHeader {
  NpyInfo info;
  char kind = 'f';            // 'b' bool, 'i' signed, 'u' unsigned, 'f' floating point
  std::size_t item_size = 4;  // bytes
  bool big_endian = false;
  std::size_t data_offset = 0;  // bytes from the start of the file

  std::size_t data_bytes() const { return static_cast<std::size_t>(info.numel()) * item_size; }
};

/// Parses the first bytes of a file of `file_size` bytes; `prefix` holds all of the file or at
/// least kMaxNpyHeader bytes. Throws `Error`, led by `name`, unless the header describes a plain
/// numeric array that fills the rest of the file exactly.
NpyHeader parse_npy_header(std::string_view prefix, std::uint64_t file_size,
                           const std::string& name);

}  // namespace glia
