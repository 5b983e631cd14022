// How a convolution runs on the CPU: a pure function of the geometry and of what the context asks
// for, so that a network computes the same bits on every machine with the same instruction set
// (tests/ops/conv_choice_test.cpp).
#pragma once

#include "kernels/api/table.h"

namespace glia::cpu {

/// The ways to compute a pass of conv2d or conv_transpose2d.
enum class ConvWay : std::uint8_t {
  taps,      // by the definition, a window position at a time
  winograd,  // windows of 3x3 with stride 1 in a quarter of the multiplications
  dots,      // 1x1 to few outputs: dot products of a pixel's channels
  patches,   // backward-weights of windows side by side: one product of matrices
  bf16       // taps, operands rounded to bf16
};
/// "taps", "winograd", ...
const char* name_of(ConvWay way);

/// The way for this kernel, which must be one of the six of conv2d and conv_transpose2d, where it
/// was measured to be the fastest (docs/adr/0009-winograd.md). `context.conv` may forbid Winograd's
/// algorithm, or ask for it wherever it fits. In bf16 there is one way, since Winograd's transforms
/// would multiply its errors; with `context.bf16` automatic, what `bf16_pays` does not name keeps
/// the way that it has in fp32.
ConvWay choose(const KernelContext& context, KernelId kernel, const ConvGeometry& g);

/// Whether bf16 beats the way in fp32 (docs/ops/conv2d.md). Few channels fill no tiles; AMX beats
/// the rest. AVX512-BF16, which multiplies twice as fast as fp32 at best, loses to Winograd, which
/// multiplies a quarter as often.
bool bf16_pays(ConvWay fp32, const ConvGeometry& g, bool amx);

/// Whether Winograd's kernels can compute it: a window of 3x3 with stride 1, whatever the padding.
bool winograd_fits(const ConvGeometry& g);

}  // namespace glia::cpu
