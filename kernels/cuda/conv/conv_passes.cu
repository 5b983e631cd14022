#include "kernels/cuda/conv/conv_passes.h"

#include "kernels/cuda/conv/conv_choice.h"

namespace glia::GLIA_GPU {

void conv_forward(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                  const ConstView& w, const ConstView& b, const View& y, Write write) {
  gpu::require(w.dense(), "conv2d_forward", "the weight must be dense");
  if (y.rows() == 0) return;
  if (choose_algorithm(ConvPass::forward, g) == ConvAlgorithm::naive)
    return conv_forward_naive(context, g, x, w, b, y, write);
  conv_forward_tiled(context, g, x, w, b, y, write);
}

void conv_dgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& w, const ConstView& b, const View& dx, Write write) {
  gpu::require(w.dense(), "conv2d_dgrad", "the weight must be dense");
  if (dx.rows() == 0) return;
  switch (choose_algorithm(ConvPass::dgrad, g)) {
    case ConvAlgorithm::naive: return conv_dgrad_naive(context, g, dy, w, b, dx, write);
    case ConvAlgorithm::shuffled: return conv_dgrad_shuffled(context, g, dy, w, b, dx, write);
    default: return conv_dgrad_tiled(context, g, dy, w, b, dx, write);
  }
}

void conv_wgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& x, const View& dw, Write write) {
  gpu::require(dw.dense(), "conv2d_wgrad", "the weight's gradient must be dense");
  if (choose_algorithm(ConvPass::wgrad, g) == ConvAlgorithm::naive)
    return conv_wgrad_naive(context, g, dy, x, dw, write);
  conv_wgrad_tiled(context, g, dy, x, dw, write);
}

}  // namespace glia::GLIA_GPU
