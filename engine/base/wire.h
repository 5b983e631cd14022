// Writes messages of Protocol Buffers: a message is a sequence of fields, each a number and a value
// (https://protobuf.dev/programming-guides/encoding).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace glia::wire {

class Message {
 public:
  /// An integer, boolean or enum.
  void integer(int field, std::int64_t value) {
    varint(key(field, 0));
    varint(static_cast<std::uint64_t>(value));
  }
  void real(int field, float value) {
    varint(key(field, 5));
    fixed(std::bit_cast<std::uint32_t>(value));
  }
  void real(int field, double value) {
    varint(key(field, 1));
    fixed(std::bit_cast<std::uint64_t>(value));
  }
  /// A string or raw bytes.
  void text(int field, std::string_view value) {
    varint(key(field, 2));
    varint(value.size());
    bytes_ += value;
  }
  void message(int field, const Message& value) { text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  static std::uint64_t key(int field, int kind) {
    return static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(kind);
  }
  template <class Bits>
  void fixed(Bits bits) {
    for (std::size_t i = 0; i < sizeof(Bits); ++i)
      bytes_ += static_cast<char>(bits >> (8 * i) & 255);
  }
  /// Seven bits a byte, the lowest first; the top bit says that more follow.
  void varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace glia::wire
