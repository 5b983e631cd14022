// The passes of a convolution as functions that conv2d and conv_transpose2d share, and the kernels
// among which they choose. Shapes as in kernels/api/conv2d.h; b may be empty.
#pragma once

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/view.h"
#include "kernels/cuda/conv/conv_epilogue.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// y (+)= x * w, and what the epilogue says of it; x.map only where conv_reads_map. Each kernel's
/// function returns whether it wrote end.moments; if not, a pass over y takes them.
void conv_forward(KernelContext& context, const ConvGeometry& g, const ReadInput& x,
                  const ConstView& w, const Epilogue& end, const View& y, Write write);
bool conv_forward_naive(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                        const ConstView& w, const Epilogue& end, const View& y, Write write);
bool conv_forward_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                        const ConstView& w, const Epilogue& end, const View& y, Write write);
bool conv_forward_mma(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                      const ConstView& w, const Epilogue& end, const View& y, Write write);

/// Only where fits_halo.
bool conv_forward_halo(KernelContext& context, const ConvGeometry& g, const ReadInput& x,
                       const ConstView& w, const Epilogue& end, const View& y, Write write);

/// And where its channels are at most kShallowChannels, in bf16.
bool conv_forward_shallow(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                          const ConstView& w, const Epilogue& end, const View& y, Write write);

/// dx (+)= the adjoint in x applied to dy, + b.
void conv_dgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& w, const ConstView& b, const View& dx, Write write);
void conv_dgrad_naive(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& w, const ConstView& b, const View& dx, Write write);
void conv_dgrad_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& w, const ConstView& b, const View& dx, Write write);
void conv_dgrad_mma(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& w, const ConstView& b, const View& dx, Write write);
/// Only where fits_halo.
void conv_dgrad_halo(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                     const ConstView& w, const ConstView& b, const View& dx, Write write);
/// These two only where windows_tile_input(g).
void conv_dgrad_shuffled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                         const ConstView& w, const ConstView& b, const View& dx, Write write);
void conv_dgrad_shuffled_mma(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                             const ConstView& w, const ConstView& b, const View& dx, Write write);

/// dw (+)= the adjoint in w; x.map as above.
void conv_wgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ReadInput& x, const View& dw, Write write);
void conv_wgrad_naive(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& x, const View& dw, Write write);
void conv_wgrad_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& x, const View& dw, Write write);
void conv_wgrad_mma(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                    const ConstView& x, const View& dw, Write write);
/// Only where fits_halo, in bf16.
void conv_wgrad_halo(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                     const ReadInput& x, const View& dw, Write write);

/// db[c] (+)= sum of dy over all rows: the bias gradient.
void conv_bias_grad(KernelContext& context, const ConstView& dy, const View& db, Write write);

}  // namespace glia::GLIA_GPU
