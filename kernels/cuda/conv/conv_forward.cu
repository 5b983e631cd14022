// y[n,p,q,k] = b[k] + sum_{r,s,c} x[n, p*stride_h + r - pad_top, ...] * w[k,r,s,c]: one product
// with output pixels as rows, output channels as columns and (r, s, c), the order of w, as depth.
//
// Work mapping, shared memory and barriers: gemm_tile.h and, for the window starts,
// conv_operands.h.
#include "kernels/cuda/conv/conv_operands.h"
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_forward_tiled(Gather x, RowMatrix w, Output y, Schedule schedule) {
  auto& smem = gpu::shared<GatherSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  WindowsByRow<Tile, kVec> a(x, smem.starts, share.row, share.depth());
  MatrixByRow<Tile::kColumns, Tile::kThreads, kVec, kPermuteB> b(w, share.column, share.depth());
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem.ring, a, b, share.slices, sum);
  store<Tile, true>(y, share, sum);
}

}  // namespace

void conv_forward_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                        const ConstView& w, const ConstView& b, const View& y, Write write) {
  const std::int64_t pixels = g.N * g.P * g.Q, depth = g.R * g.S * g.C;
  narrow(g.N * g.H * g.W);
  const Gather gather = {.data = x.as<float>(),
                         .pitch = x.pitch,
                         .images = narrow(g.N),
                         .height = narrow(g.H),
                         .width = narrow(g.W),
                         .channels = narrow(g.C),
                         .grid_rows = narrow(g.P),
                         .grid_columns = narrow(g.Q),
                         .step_h = narrow(g.stride_h),
                         .step_w = narrow(g.stride_w),
                         .offset_h = narrow(-g.pad_top),
                         .offset_w = narrow(-g.pad_left),
                         .taps_h = narrow(g.R),
                         .taps_w = narrow(g.S)};
  const RowMatrix matrix = {w.as<float>(), depth, narrow(g.K), narrow(depth)};
  const Output output = {.data = y.as<float>(),
                         .pitch = y.pitch,
                         .bias = b.as<float>(),
                         .rows = narrow(pixels),
                         .columns = narrow(g.K),
                         .channels = narrow(g.K),
                         .accumulate = write == Write::accumulate,
                         .fours = in_fours(y)};
  run_product(context, "conv2d_forward_tiled", {pixels, g.K, depth}, in_fours(x) && in_fours(w),
              output,
              [&](auto tile, auto width, LaunchConfig config, const Output& target,
                  const Schedule& schedule) {
                using Tile = decltype(tile);
                config.smem_bytes = sizeof(GatherSmem<Tile>);
                gpu::launch(conv2d_forward_tiled<Tile, decltype(width)::value>, config, gather,
                            matrix, target, schedule);
              });
}

}  // namespace glia::GLIA_GPU
