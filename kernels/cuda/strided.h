// Views as kernels see them, and in which of them four neighbouring channels can be moved at once.
#pragma once

#include <cstdint>

#include "kernels/api/view.h"
#include "kernels/cuda/pack.h"

namespace glia::GLIA_GPU {

/// Element (row, column) lies at data[row * pitch + column]; `data` may be null.
template <class T>
struct Strided {
  T* data;
  std::int64_t pitch;

  __device__ T* at(std::int64_t row, std::int64_t column) const {
    return data + row * pitch + column;
  }
  /// The elements from (row, column) on that fit into a P, which has to be aligned.
  template <class P>
  __device__ P load(std::int64_t row, std::int64_t column) const {
    return *reinterpret_cast<const P*>(at(row, column));
  }
  template <class P>
  __device__ void store(std::int64_t row, std::int64_t column, const P& pack) const {
    *reinterpret_cast<P*>(at(row, column)) = pack;
  }
};

inline Strided<float> strided(const View& view) {
  return {view.as<float>(), view.pitch};
}
inline Strided<const float> strided(const ConstView& view) {
  return {view.as<float>(), view.pitch};
}

/// Whether every row of each view consists of aligned packs of four elements. Empty views do.
template <class... Views>
bool rows_of_packs(const Views&... views) {
  const auto fits = [](const ConstView& view) {
    const auto address = reinterpret_cast<std::uintptr_t>(view.data);
    return !view || (view.channels() % 4 == 0 && view.pitch % 4 == 0 &&
                     address % (4 * size_of(view.dtype)) == 0);
  };
  return (... && fits(views));
}

}  // namespace glia::GLIA_GPU
