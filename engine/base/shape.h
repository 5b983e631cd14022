// The extents of a tensor: one to four dimensions, images always in the order N, H, W, C.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace glia {

class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  /// Throws `Error` on more than four dimensions, a negative extent, or a product beyond 2^62.
  Shape(std::initializer_list<std::int64_t> extents);

  int rank() const { return rank_; }
  std::int64_t operator[](int dimension) const {
    return extents_[static_cast<std::size_t>(dimension)];
  }
  /// Number of elements; 1 for rank 0.
  std::int64_t numel() const;
  /// Extent of the last dimension: the channels of an NHWC tensor. 1 for rank 0.
  std::int64_t channels() const { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }
  /// The same shape with another last extent.
  Shape with_channels(std::int64_t channels) const;
  /// "[6, 240, 240, 3]"
  std::string str() const;

  bool operator==(const Shape&) const = default;

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

}  // namespace glia
