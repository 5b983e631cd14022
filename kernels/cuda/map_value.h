// What a map (kernels/api/read_map.h) makes of a number: one piece of code for whoever applies it,
// so that all agree to the bit.
#pragma once

#include <cmath>

#include "kernels/cuda/gpu.h"

namespace glia::GLIA_GPU {

/// Before the floor, by one rounding.
__device__ inline float map_affine(float scale, float shift, float x) {
  return fmaf(scale, x, shift);
}
/// And after it; NaN stays NaN.
__device__ inline float map_value(float scale, float shift, float floor, float x) {
  const float y = map_affine(scale, shift, x);
  return y < floor ? floor : y;
}

}  // namespace glia::GLIA_GPU
