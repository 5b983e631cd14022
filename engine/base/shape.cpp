#include "engine/base/shape.h"

#include "engine/base/check.h"

namespace glia {

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  check(extents.size() <= kMaxRank, "shape: found {} dimensions, expected at most {}",
        extents.size(), kMaxRank);
  std::int64_t product = 1;
  for (std::int64_t extent : extents) {
    check(extent >= 0, "shape: found the extent {}, expected 0 or more", extent);
    std::int64_t next = 0;
    check(!__builtin_mul_overflow(product, extent, &next) && next < (std::int64_t{1} << 62),
          "shape: the number of elements does not fit in 62 bits");
    product = next;
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }
}

std::int64_t Shape::numel() const {
  std::int64_t product = 1;
  for (int d = 0; d < rank_; ++d) product *= (*this)[d];
  return product;
}

Shape Shape::with_channels(std::int64_t channels) const {
  check(rank_ > 0, "shape: a scalar has no channels to replace");
  Shape copy = *this;
  copy.extents_[static_cast<std::size_t>(rank_ - 1)] = channels;
  return copy;
}

std::string Shape::str() const {
  std::string text = "[";
  for (int d = 0; d < rank_; ++d) text += (d ? ", " : "") + std::to_string((*this)[d]);
  return text + "]";
}

}  // namespace glia
