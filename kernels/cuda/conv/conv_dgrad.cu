// dx[n,h,w,c] = sum of dy[n,p,q,k] * w[k,r,s,c] over k and all (p, r) with p*stride_h + r - pad_top
// = h, and likewise (q, s). The pixels of dx that meet the same r and s form a part
// (conv_choice.h); each is one product with its pixels as rows, input channels as columns and (tap,
// tap, k) as depth. At stride 1 there is one part.
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
    conv2d_dgrad_tiled(Gather dy, ColumnMatrix w, Output dx, Schedule schedule) {
  auto& smem = gpu::shared<GatherSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  WindowsByRow<Tile, kVec> a(dy, smem.starts, share.row, share.depth());
  MatrixByDepth<Tile::kColumns, Tile::kThreads, kVec> b(w, share.column, share.depth());
  float sum[kMicro][kMicro] = {};
  multiply<Tile>(smem.ring, a, b, share.slices, sum);
  store<Tile, true>(dx, share, sum);
}

void part_of_dgrad(KernelContext& context, const ConvGeometry& g, const DgradPart& part,
                   const ConstView& dy, const ConstView& w, const ConstView& b, const View& dx,
                   Write write) {
  const bool accumulate = write == Write::accumulate;
  const std::int64_t pixels = g.N * part.rows * part.columns;
  const std::int64_t depth = part.taps_h * part.taps_w * g.K;
  if (depth == 0 && accumulate && !b) return;  // adds nothing
  const int taps_h = narrow(part.taps_h), taps_w = narrow(std::max<std::int64_t>(1, part.taps_w));
  const Gather gather = {.data = dy.as<float>(),
                         .pitch = dy.pitch,
                         .images = narrow(g.N),
                         .height = narrow(g.P),
                         .width = narrow(g.Q),
                         .channels = narrow(g.K),
                         .grid_rows = narrow(part.rows),
                         .grid_columns = narrow(part.columns),
                         .step_h = 1,
                         .step_w = 1,
                         .offset_h = narrow(part.offset_h),
                         .offset_w = narrow(part.offset_w),
                         .taps_h = taps_h,
                         .taps_w = taps_w};
  // As a tap moves on by one pixel of dy, it moves back by the stride in w.
  const ColumnMatrix matrix = {.data = w.as<float>() + (part.last_r * g.S + part.last_s) * g.C,
                               .radix = {gather.channels, taps_w},
                               .highs = taps_h,
                               .step_low = g.R * g.S * g.C,
                               .step_middle = -g.stride_w * g.C,
                               .step_high = -g.stride_h * g.S * g.C,
                               .columns = narrow(g.C)};
  const Output output = {.data = dx.as<float>(),
                         .pitch = dx.pitch,
                         .bias = b.as<float>(),
                         .rows = narrow(pixels),
                         .columns = narrow(g.C),
                         .channels = narrow(g.C),
                         .accumulate = accumulate,
                         .fours = in_fours(dx),
                         .scattered = g.stride_h > 1 || g.stride_w > 1,
                         .height = narrow(g.H),
                         .width = narrow(g.W),
                         .grid_rows = gather.grid_rows,
                         .grid_columns = gather.grid_columns,
                         .step_h = narrow(g.stride_h),
                         .step_w = narrow(g.stride_w),
                         .first_h = narrow(part.first_h),
                         .first_w = narrow(part.first_w)};
  run_product(context, "conv2d_dgrad_tiled", {pixels, g.C, depth}, in_fours(dy) && in_fours(w),
              output,
              [&](auto tile, auto width, LaunchConfig config, const Output& target,
                  const Schedule& schedule) {
                using Tile = decltype(tile);
                config.smem_bytes = sizeof(GatherSmem<Tile>);
                gpu::launch(conv2d_dgrad_tiled<Tile, decltype(width)::value>, config, gather,
                            matrix, target, schedule);
              });
}

}  // namespace

void conv_dgrad_tiled(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& w, const ConstView& b, const View& dx, Write write) {
  narrow(g.N * g.H * g.W);
  narrow(g.N * g.P * g.Q);
  narrow(g.R * g.S * g.K);
  for (const DgradPart& part : dgrad_parts(g)) part_of_dgrad(context, g, part, dy, w, b, dx, write);
}

}  // namespace glia::GLIA_GPU
