// db[c] = sum of dy over all pixels.
//
// Work mapping: a block of 32x8 threads takes 32 channels and a share of the rows; a warp reads
// neighbouring channels of a row, eight warps take turns, and their sums meet in shared memory (1
// KiB, barriers in columns.h). A second launch adds up the shares in the same way: fixed orders.
#include "kernels/cuda/columns.h"
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kWarps = 8;

struct Smem {
  float sums[32 * kWarps];
};

/// sums[share * channels + c] (+)= the sum of x's column c over one share of the rows.
template <class T>
__global__ void __launch_bounds__(32 * kWarps)
    conv2d_bias_grad_shares(const T* x, std::int64_t pitch, std::int64_t rows, int channels,
                            float* sums, bool accumulate) {
  Smem& smem = gpu::shared<Smem>();
  const int c = blockIdx.x * 32 + threadIdx.x;
  const std::int64_t share = blockIdx.y, shares = gridDim.y;
  const std::int64_t end = rows * (share + 1) / shares;
  float sum = 0;
  if (c < channels) {
#pragma unroll 8
    for (std::int64_t i = rows * share / shares + threadIdx.y; i < end; i += kWarps)
      sum += read_pack<1>(x + i * pitch + c).at[0];
  }
  sum = column_sum(sum, smem.sums);
  if (threadIdx.y > 0 || c >= channels) return;
  float& to = sums[share * channels + c];
  to = accumulate ? to + sum : sum;
}

template <class T>
void queue(KernelContext& context, const T* x, std::int64_t pitch, std::int64_t rows, int channels,
           unsigned shares, float* sums, bool accumulate) {
  gpu::launch(conv2d_bias_grad_shares<T>,
              {.grid = dim3(static_cast<unsigned>(channels + 31) / 32, shares),
               .block = dim3(32, kWarps),
               .smem_bytes = sizeof(Smem),
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "conv2d_bias_grad_shares"},
              x, pitch, rows, channels, sums, accumulate);
}

template <class T>
void bias_grad(KernelContext& context, const ConstView& dy, const View& db, Write write) {
  const std::int64_t rows = dy.rows();
  const int channels = narrow(db.channels());
  // A thread adds 16 rows at least, and all blocks fit on the device together.
  const std::int64_t most = std::max(1, context.multiprocessors * 8 / ((channels + 31) / 32));
  const auto shares =
      static_cast<unsigned>(std::clamp<std::int64_t>(rows / (16 * kWarps), 1, most));
  const bool accumulate = write == Write::accumulate;
  if (shares == 1)
    return queue(context, dy.as<T>(), dy.pitch, rows, channels, 1, db.as<float>(), accumulate);
  auto* partials = static_cast<float*>(
      context.workspace.reserve(std::size_t{shares} * static_cast<std::size_t>(channels) * 4));
  queue(context, dy.as<T>(), dy.pitch, rows, channels, shares, partials, false);
  queue<float>(context, partials, channels, shares, channels, 1, db.as<float>(), accumulate);
}

}  // namespace

void conv_bias_grad(KernelContext& context, const ConstView& dy, const View& db, Write write) {
  with_type_of(dy, [&](auto type) { bias_grad<decltype(type)>(context, dy, db, write); });
}

}  // namespace glia::GLIA_GPU
