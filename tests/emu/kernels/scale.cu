// y = 2 x + 1, the work of the tests of streams and devices.
#include "kernels/cuda/gpu.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads) scale_kernel(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2 * x[i] + 1;
}

}  // namespace

void scale(const float* x, float* y, int n, cudaStream_t stream, Bug bug) {
  const int threads = bug == Bug::block_beyond_bounds ? 2 * kThreads : kThreads;
  gpu::launch(
      scale_kernel,
      {.grid = (n + threads - 1) / threads, .block = threads, .stream = stream, .name = "scale"}, x,
      y, n);
}

}  // namespace glia::emu_test
