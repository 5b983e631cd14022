// The map of a few neighbouring channels (kernels/api/read_map.h), in registers. That of an element
// is computed by one rounding wherever it is needed, so that all agree on where it is above its
// floor.
#pragma once

#include "kernels/api/read_map.h"
#include "kernels/cuda/map_value.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {

template <int kPack>
struct MapPack {
  Pack<kPack> scale{}, shift{}, floor{};

  MapPack() = default;
  /// Of channels c, c + 1, …
  __device__ MapPack(const Strided<const float>& map, std::int64_t c)
      : scale(map.load<kPack>(MapRow::scale, c)),
        shift(map.load<kPack>(MapRow::shift, c)),
        floor(map.load<kPack>(MapRow::floor, c)) {}

  /// x of the k-th channel before the floor.
  __device__ float affine(int k, float x) const { return map_affine(scale.at[k], shift.at[k], x); }
  /// And after it; NaN stays NaN.
  __device__ float apply(int k, float x) const {
    return map_value(scale.at[k], shift.at[k], floor.at[k], x);
  }
  /// The gradient of what is mapped to dy: dy above the floor, else 0; NaN where the map is.
  __device__ float gradient(int k, float x, float dy) const {
    const float y = affine(k, x);
    return y != y ? y : y > floor.at[k] ? dy : 0.0f;
  }
};

}  // namespace glia::GLIA_GPU
