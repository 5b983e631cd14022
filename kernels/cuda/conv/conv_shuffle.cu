// dgrad where windows neither overlap nor leave gaps, such as a transposed convolution 2x2 with
// stride 2: pixel (p*R + r, q*S + s) of dx belongs to (p, q) alone,
//   dx[n, p*R + r, q*S + s, c] = b[c] + sum_k dy[n,p,q,k] * w[k,r,s,c].
// One product [N*P*Q, K] x [K, R*S*C] with matrices as they lie in memory; its columns are dealt
// out to the pixels of a window (a pixel shuffle).
//
// Work mapping, shared memory and barriers: gemm_tile.h.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"
#include "kernels/cuda/conv/gemm_operands.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_dgrad_shuffled(RowMatrix dy, ColumnMatrix w, Output dx, Schedule schedule) {
  auto& smem = gpu::shared<GemmRing<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  MatrixByRow<Tile::kRows, Tile::kThreads, kVec, kPermuteA> a(dy, share.row, share.depth());
  MatrixByDepth<Tile::kColumns, Tile::kThreads, kVec> b(w, share.column, share.depth());
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem, a, b, share.slices, sum);
  store<Tile, true>(dx, share, sum);
}

}  // namespace

void conv_dgrad_shuffled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                         const ConstView& w, const ConstView& b, const View& dx, Write write) {
  const std::int64_t pixels = g.N * g.P * g.Q, columns = g.R * g.S * g.C;
  narrow(g.N * g.H * g.W);
  const RowMatrix rows = {dy.as<float>(), dy.pitch, narrow(pixels), narrow(g.K)};
  const ColumnMatrix matrix = {.data = w.as<float>(),
                               .radix = {narrow(g.K), 1},
                               .step_low = columns,
                               .columns = narrow(columns)};
  const Output output = {.data = dx.as<float>(),
                         .pitch = dx.pitch,
                         .bias = b.as<float>(),
                         .rows = narrow(pixels),
                         .columns = narrow(columns),
                         .channels = narrow(g.C),
                         .window_columns = narrow(g.S),
                         .accumulate = write == Write::accumulate,
                         .fours = in_fours(dx),
                         .scattered = true,
                         .height = narrow(g.H),
                         .width = narrow(g.W),
                         .grid_rows = narrow(g.P),
                         .grid_columns = narrow(g.Q),
                         .step_h = narrow(g.R),
                         .step_w = narrow(g.S)};
  run_product(context, "conv2d_dgrad_shuffled", {pixels, columns, g.K}, in_fours(dy) && in_fours(w),
              output,
              [&](auto tile, auto width, LaunchConfig config, const Output& target,
                  const Schedule& schedule) {
                using Tile = decltype(tile);
                config.smem_bytes = sizeof(GemmRing<Tile>);
                gpu::launch(conv2d_dgrad_shuffled<Tile, decltype(width)::value>, config, rows,
                            matrix, target, schedule);
              });
}

}  // namespace glia::GLIA_GPU
