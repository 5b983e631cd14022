// Matrix instructions of a warp: ldmatrix, stmatrix and mma, with PTX's fragment layouts.
#pragma once

#include <cstdint>

#include "kernels/emu/site.h"

namespace glia::emu {

/// ldmatrix .x1, .x2 or .x4 (`count`) of 8x8 matrices of 16-bit elements: lanes 8i…8i+7 point at
/// the rows of matrix i; `registers[i]` receives this lane's two elements of it.
void ldmatrix(std::uint32_t* registers, int count, bool transposed, const void* row, Site at);

/// stmatrix, the way back: `registers[i]` of each lane holds its two elements of matrix i.
void stmatrix(void* row, int count, bool transposed, const std::uint32_t* registers, Site at);

/// d (16x8, f32) += a (16x16, bf16) * b (16x8, bf16), with the bits of a GPU of
/// `options().architecture` (tensor_core_sum.h).
void mma_bf16_m16n8k16(float* d, const std::uint32_t* a, const std::uint32_t* b, Site at);
/// d (16x8, f32) += a (16x8, tf32) * b (8x8, tf32); the low 13 bits of each operand are ignored.
void mma_tf32_m16n8k8(float* d, const std::uint32_t* a, const std::uint32_t* b, Site at);

}  // namespace glia::emu
