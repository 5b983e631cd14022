// Views as kernels see them, and how many neighbouring channels can be moved at once in them.
#pragma once

#include <algorithm>
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
  /// A pack from (row, column) on, which has to be aligned; bf16 as floats.
  template <int kPack>
  __device__ auto load(std::int64_t row, std::int64_t column) const {
    return read_pack<kPack>(at(row, column));
  }
  /// Stores one there; as bf16 rounded to the nearest.
  template <class P>
  __device__ void store(std::int64_t row, std::int64_t column, const P& pack) const {
    write_pack(at(row, column), pack);
  }
};

template <class T>
Strided<T> strided(const View& view) {
  return {view.as<T>(), view.pitch};
}
template <class T>
Strided<const T> strided(const ConstView& view) {
  return {view.as<T>(), view.pitch};
}

/// Calls `fn` with a value of the type of the view's elements, which are activations: Bf16 or, of
/// all others, float, which views of something else then refuse to be.
template <class Fn>
void with_type_of(const ConstView& view, const Fn& fn) {
  if (view.dtype == DType::bf16)
    fn(Bf16{});
  else
    fn(float{});
}

/// Whether every row of each view consists of aligned packs of `pack` elements. Empty views do.
template <class... Views>
bool rows_of_packs(int pack, const Views&... views) {
  const auto fits = [pack](const ConstView& view) {
    const auto address = reinterpret_cast<std::uintptr_t>(view.data);
    const auto bytes = static_cast<std::size_t>(pack) * size_of(view.dtype);
    return !view || (view.channels() % pack == 0 && view.pitch % pack == 0 &&
                     address % std::min(bytes, kPackBytes) == 0);
  };
  return (... && fits(views));
}

/// How many channels a thread moves at once: as many of the first view as fit into kPackBytes,
/// where every row of each view consists of such packs, else one.
template <class... Views>
int row_pack(const ConstView& first, const Views&... others) {
  const int pack = static_cast<int>(kPackBytes / size_of(first.dtype));
  return rows_of_packs(pack, first, others...) ? pack : 1;
}

}  // namespace glia::GLIA_GPU
