#include "kernels/cpu/conv_passes.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/tap_conv.h"

namespace glia::cpu {

void conv_forward(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                  const ConstView& w, const ConstView& b, const View& y, Write write) {
  TapConv problem{.in = x,
                  .w = w,
                  .bias = b,
                  .out = y,
                  .rows = g.P,
                  .cols = g.Q,
                  .in_step_h = g.stride_h,
                  .in_step_w = g.stride_w,
                  .taps = {},
                  .write = write};
  for (std::int64_t r = 0; r < g.R; ++r)
    for (std::int64_t s = 0; s < g.S; ++s)
      problem.taps.push_back({r - g.pad_top, s - g.pad_left, r * g.S + s});
  tap_conv(context, problem);
}

void conv_dgrad(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                const ConstView& w, const ConstView& b, const View& dx, Write write) {
  // x[h] met the output p = (h + pad_top - r) / stride for those r that leave no remainder: they
  // are the same for all h of one residue, and p then advances by 1 as h advances by the stride.
  for (std::int64_t h0 = 0; h0 < std::min(g.stride_h, g.H); ++h0) {
    for (std::int64_t w0 = 0; w0 < std::min(g.stride_w, g.W); ++w0) {
      TapConv problem{.in = dy,
                      .w = w,
                      .w_reduces_k = true,
                      .bias = b,
                      .out = dx,
                      .out_first_h = h0,
                      .out_first_w = w0,
                      .out_step_h = g.stride_h,
                      .out_step_w = g.stride_w,
                      .rows = ceil_div(g.H - h0, g.stride_h),
                      .cols = ceil_div(g.W - w0, g.stride_w),
                      .taps = {},
                      .write = write};
      for (std::int64_t r = (h0 + g.pad_top) % g.stride_h; r < g.R; r += g.stride_h)
        for (std::int64_t s = (w0 + g.pad_left) % g.stride_w; s < g.S; s += g.stride_w)
          problem.taps.push_back(
              {(h0 + g.pad_top - r) / g.stride_h, (w0 + g.pad_left - s) / g.stride_w, r * g.S + s});
      tap_conv(context, problem);
    }
  }
}

}  // namespace glia::cpu
