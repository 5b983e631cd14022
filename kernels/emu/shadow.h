// What the race checker remembers of every four bytes of shared and device memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace glia::emu {

/// One access: who (a thread of the block with this serial number, at that thread's clock), where
/// in the source, and which of the four bytes.
struct Record {
  std::uint32_t block = 0;  // serial over all launches; 0: none
  std::uint32_t epoch = 0;
  std::uint32_t place = 0;  // see places.h
  std::uint16_t thread = 0;
  std::uint8_t bytes = 0;  // bit i: byte i
};

/// The last plain write, the last atomic, and the last reads by two threads: of different warps
/// where there are such.
struct Cell {
  Record write, atomic, reads[2];
};

/// Cells and byte states of a range of memory. Pages that nobody touches cost nothing.
class Shadow {
 public:
  Shadow() = default;
  explicit Shadow(std::size_t bytes)
      : cells_(zeroed<Cell>(bytes / 4 + 1)), states_(zeroed<std::uint8_t>(bytes / 4 + 1)) {}

  explicit operator bool() const { return cells_ != nullptr; }
  Cell& cell(std::size_t offset) { return cells_[offset / 4]; }
  /// Low four bits: bytes that were written; high four: bytes that a copy in flight will write.
  std::uint8_t& state(std::size_t offset) { return states_[offset / 4]; }

 private:
  struct Free {
    void operator()(void* data) const { std::free(data); }
  };
  template <class T>
  using Array = std::unique_ptr<T[], Free>;
  template <class T>
  static Array<T> zeroed(std::size_t count) {
    return Array<T>(static_cast<T*>(std::calloc(count, sizeof(T))));
  }

  Array<Cell> cells_;
  Array<std::uint8_t> states_;
};

}  // namespace glia::emu
