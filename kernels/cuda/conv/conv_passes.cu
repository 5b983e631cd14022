#include "kernels/cuda/conv/conv_passes.h"

#include "kernels/cuda/conv/conv_choice.h"
#include "kernels/cuda/kernels.h"

namespace glia::GLIA_GPU {

namespace {

/// What an operand is multiplied in goes with how it is stored, so that the kernel's name, which
/// the context's precision gives, is the one that runs.
void require_precision(const KernelContext& context, const ConstView& operand) {
  gpu::require((context.precision == ConvPrecision::bf16) == (operand.dtype == DType::bf16),
               "convolution",
               "operands in bf16 and the precision bf16 of the context go together; found one "
               "without the other");
}

/// Nothing else is computed where a map cannot be read: the caller has to write down what it makes.
void require_no_map(const ReadInput& x, const char* pass) {
  gpu::require(!x.map, pass,
               "the kernel for this geometry reads no maps; found one, expected what it makes of x "
               "(materialise)");
}

}  // namespace

void conv_forward(KernelContext& context, const ConvGeometry& g, const ReadInput& x,
                  const ConstView& w, const Epilogue& end, const View& y, Write write) {
  gpu::require(w.dense(), "conv2d_forward", "the weight must be dense");
  require_precision(context, w);
  if (y.rows() == 0) return;
  if (!reads_map(context, ConvPass::forward, g)) require_no_map(x, "conv2d_forward");
  const auto queue = [&] {
    switch (choose_algorithm(context, ConvPass::forward, g)) {
      case ConvAlgorithm::naive: return conv_forward_naive(context, g, x.values, w, end, y, write);
      case ConvAlgorithm::mma: return conv_forward_mma(context, g, x.values, w, end, y, write);
      case ConvAlgorithm::halo: return conv_forward_halo(context, g, x, w, end, y, write);
      default: return conv_forward_tiled(context, g, x.values, w, end, y, write);
    }
  };
  if (!queue() && end.moments) channel_moments(context, {.x = y, .moments = end.moments});
}

void conv_dgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& w, const ConstView& b, const View& dx, Write write) {
  gpu::require(w.dense(), "conv2d_dgrad", "the weight must be dense");
  require_precision(context, w);
  if (dx.rows() == 0) return;
  switch (choose_algorithm(context, ConvPass::dgrad, g)) {
    case ConvAlgorithm::naive: return conv_dgrad_naive(context, g, dy, w, b, dx, write);
    case ConvAlgorithm::shuffled: return conv_dgrad_shuffled(context, g, dy, w, b, dx, write);
    case ConvAlgorithm::mma: return conv_dgrad_mma(context, g, dy, w, b, dx, write);
    case ConvAlgorithm::halo: return conv_dgrad_halo(context, g, dy, w, b, dx, write);
    case ConvAlgorithm::shuffled_mma:
      return conv_dgrad_shuffled_mma(context, g, dy, w, b, dx, write);
    default: return conv_dgrad_tiled(context, g, dy, w, b, dx, write);
  }
}

void conv_wgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ReadInput& x, const View& dw, Write write) {
  gpu::require(dw.dense(), "conv2d_wgrad", "the weight's gradient must be dense");
  require_precision(context, x.values);
  if (!reads_map(context, ConvPass::wgrad, g)) require_no_map(x, "conv2d_wgrad");
  switch (choose_algorithm(context, ConvPass::wgrad, g)) {
    case ConvAlgorithm::naive: return conv_wgrad_naive(context, g, dy, x.values, dw, write);
    case ConvAlgorithm::mma: return conv_wgrad_mma(context, g, dy, x.values, dw, write);
    case ConvAlgorithm::halo: return conv_wgrad_halo(context, g, dy, x, dw, write);
    default: return conv_wgrad_tiled(context, g, dy, x.values, dw, write);
  }
}

}  // namespace glia::GLIA_GPU
