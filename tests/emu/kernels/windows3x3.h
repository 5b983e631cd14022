// What the examples of convolutions 3x3 by patches have in common: their operands.
#pragma once

#include "kernels/cuda/conv/conv_patch.h"
#include "kernels/cuda/conv/gemm_output.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {

/// The windows of x, with padding 1; as if the image had `extra_rows` more.
inline gpu::Gather<Bf16> windows3x3(const std::uint16_t* x, const HaloShape& shape,
                                    int extra_rows) {
  return {.data = reinterpret_cast<const Bf16*>(x),
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

inline gpu::RowMatrix<Bf16> weights3x3(const std::uint16_t* w, const HaloShape& shape) {
  return {reinterpret_cast<const Bf16*>(w), 9 * shape.c, shape.k, 9 * shape.c};
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
