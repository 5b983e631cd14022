// Group norm: an image is a region. The passes and their work mapping: kernels/cuda/norm.cu and
// kernels/cuda/channels.cu.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/norm.h"

namespace glia::GLIA_GPU {

void group_norm_forward(KernelContext& context, const GroupNormForward& a) {
  norm_forward(context, a, a.x.shape[0], {});
}

void group_norm_backward(KernelContext& context, const GroupNormBackward& a) {
  norm_backward(context, a, a.x.shape[0], {});
}

}  // namespace glia::GLIA_GPU
