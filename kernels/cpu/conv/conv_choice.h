// How a convolution runs on the CPU: pure functions of the geometry, so that a network computes the
// same bits on every machine with the same instruction set (tests/ops/conv_choice_test.cpp).
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/conv2d.h"

namespace glia::cpu {

/// Whether Winograd's kernels can compute it: a window of 3x3 with stride 1, whatever the padding.
bool winograd_fits(const ConvGeometry& g);

/// Whether the pass is computed by Winograd's algorithm: never, wherever it fits, or where it was
/// measured to be faster (docs/adr/0009-winograd.md).
bool takes_winograd(ConvMethod method, ConvPass pass, const ConvGeometry& g);
/// The same for what the context says: in bf16 nothing is, whose errors the transforms would
/// multiply.
bool takes_winograd(const KernelContext& context, ConvPass pass, const ConvGeometry& g);

}  // namespace glia::cpu
