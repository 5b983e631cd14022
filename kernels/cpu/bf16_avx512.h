// What the AMX unit takes from the AVX512-BF16 unit.
#pragma once

#include "kernels/cpu/bf16_unit.h"

namespace glia::cpu::avx512 {

void pack_pixels(const Bf16Pixels& p);
void pack_weights(const Bf16Weights& p);
void pack_columns(const Bf16Columns& p);
void pack_pairs(const Bf16Pairs& p);
void write(const Bf16Results& r);

}  // namespace glia::cpu::avx512
