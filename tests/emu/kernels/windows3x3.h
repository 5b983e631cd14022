// What the examples of convolutions 3x3 by patches have in common: their operands.
#pragma once

#include "kernels/cuda/conv/conv_patch.h"
#include "kernels/cuda/conv/gemm_output.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {

/// The windows of x, with padding 1; as if the image had `extra_rows` more.
template <class T = Bf16>
gpu::Gather<T> windows3x3(const void* x, const HaloShape& shape, int extra_rows) {
  return {.data = static_cast<const T*>(x),
          .pitch = shape.c,
          .images = 1,
          .height = shape.h + extra_rows,
          .width = shape.w,
          .channels = shape.c,
          .grid_rows = shape.h,
          .grid_columns = shape.w,
          .step_h = 1,
          .step_w = 1,
          .offset_h = -1,
          .offset_w = -1,
          .taps_h = 3,
          .taps_w = 3};
}

template <class T = Bf16>
gpu::RowMatrix<T> weights3x3(const void* w, const HaloShape& shape) {
  return {static_cast<const T*>(w), 9 * shape.c, shape.k, 9 * shape.c};
}

inline gpu::Output output3x3(float* y, const HaloShape& shape) {
  return {.data = y,
          .pitch = shape.k,
          .rows = shape.h * shape.w,
          .columns = shape.k,
          .channels = shape.k,
          .pieces = true};
}

}  // namespace glia::emu_test
