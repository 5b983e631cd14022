// dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] * x[n, p*stride_h + r - pad_top, ...]: one product
// with (r, s, c) as rows, output channels as columns and output pixels as depth. The sums are long
// and the result is small, so the depth is split among blocks; a second pass adds their results in
// order. dw has k outermost: results are written transposed.
//
// Work mapping, shared memory and barriers: gemm_tile.h.
#include "kernels/cuda/conv/conv_operands.h"
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

template <class Tile, int kVec>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kResident)
    conv2d_wgrad_tiled(Gather x, ColumnMatrix dy, Output dw, Schedule schedule) {
  auto& smem = gpu::shared<GemmRing<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  WindowsByDepth<Tile, kVec> a(x, share.row, share.depth());
  MatrixByDepth<Tile::kColumns, Tile::kThreads, kVec> b(dy, share.column, share.depth());
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem, a, b, share.slices, sum);
  store<Tile, false, true>(dw, share, sum);
}

}  // namespace

void conv_wgrad_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& x, const View& dw, Write write) {
  const std::int64_t rows = g.R * g.S * g.C, pixels = g.N * g.P * g.Q;
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
  const ColumnMatrix matrix = {.data = dy.as<float>(),
                               .radix = {narrow(std::max<std::int64_t>(1, pixels)), 1},
                               .step_low = dy.pitch,
                               .columns = narrow(g.K)};
  const Output output = {.data = dw.as<float>(),
                         .pitch = rows,
                         .rows = narrow(g.K),
                         .columns = narrow(rows),
                         .channels = narrow(rows),
                         .accumulate = write == Write::accumulate,
                         .fours = in_fours(dw)};
  run_product(context, "conv2d_wgrad_tiled", {rows, g.K, pixels}, in_fours(x) && in_fours(dy),
              output,
              [&](auto tile, auto width, LaunchConfig config, const Output& target,
                  const Schedule& schedule) {
                using Tile = decltype(tile);
                config.smem_bytes = sizeof(GemmRing<Tile>);
                gpu::launch(conv2d_wgrad_tiled<Tile, decltype(width)::value>, config, gather,
                            matrix, target, schedule);
              });
}

}  // namespace glia::GLIA_GPU
