// Two bf16 values in one register: what cvt, fma and max do with them, as the PTX manual says.
#pragma once

#include <cstdint>

namespace glia::emu {

/// The nearest bf16 (ties to even) of each, `low` in the lower half. NaN becomes 0x7FFF; with
/// `relu` what is not positive becomes +0.
std::uint32_t pack_bf16(float low, float high, bool relu);
/// max(a * b + c, 0) with one rounding to bf16 (ties to even); NaN stays NaN, as 0x7FFF.
std::uint32_t fma_relu_bf16x2(std::uint32_t a, std::uint32_t b, std::uint32_t c);
/// The larger; where one is NaN the other, where both are 0x7FFF; +0 is larger than -0.
std::uint32_t max_bf16x2(std::uint32_t a, std::uint32_t b);

}  // namespace glia::emu
