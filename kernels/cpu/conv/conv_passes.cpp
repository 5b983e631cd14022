#include "kernels/cpu/conv/conv_passes.h"

#include <algorithm>
#include <utility>

#include "kernels/cpu/conv/bf16_conv.h"
#include "kernels/cpu/conv/dot_conv.h"
#include "kernels/cpu/conv/tap_conv.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

void conv_forward(KernelContext& context, ConvWay way, const ConvGeometry& g, const Mapped& x,
                  const ConstView& w, const ConstView& b, const View& y, Write write,
                  const View& moments) {
  const TapConv problem{.in = x.view,
                        .in_map = x.map,
                        .w = w,
                        .bias = b,
                        .out = y,
                        .in_step_h = g.stride_h,
                        .in_step_w = g.stride_w,
                        .parts = {forward_taps(g)},
                        .write = write};
  if (way == ConvWay::bf16) {
    bf16_tap_conv(context, problem, moments);
    return;
  }
  if (way == ConvWay::dots)
    dot_forward(context, x, w, b, y, write);
  else if (tap_conv(context, problem, moments))
    return;
  if (moments) moments_of(context, y, moments);
}

void conv_dgrad(KernelContext& context, ConvWay way, const ConvGeometry& g, const Mapped& dy,
                const ConstView& w, const ConstView& b, const View& dx, Write write) {
  TapConv problem{.in = dy.view,
                  .in_map = dy.map,
                  .w = w,
                  .w_reduces_k = true,
                  .bias = b,
                  .out = dx,
                  .out_step_h = g.stride_h,
                  .out_step_w = g.stride_w,
                  .write = write};
  // x[h] met the output p = (h + pad_top - r) / stride for those r that leave no remainder: they
  // are the same for all h of one residue, and p then advances by 1 as h advances by the stride.
  // Large r come first, so that the taps run along the rows of dy.
  for (std::int64_t h0 = 0; h0 < std::min(g.stride_h, g.H); ++h0)
    for (std::int64_t w0 = 0; w0 < std::min(g.stride_w, g.W); ++w0) {
      TapPart part{.first_h = h0,
                   .first_w = w0,
                   .rows = ceil_div(g.H - h0, g.stride_h),
                   .cols = ceil_div(g.W - w0, g.stride_w)};
      for (std::int64_t r = g.R - 1; r >= 0; --r)
        for (std::int64_t s = g.S - 1; s >= 0; --s)
          if ((h0 + g.pad_top - r) % g.stride_h == 0 && (w0 + g.pad_left - s) % g.stride_w == 0)
            part.taps.push_back({(h0 + g.pad_top - r) / g.stride_h,
                                 (w0 + g.pad_left - s) / g.stride_w, r * g.S + s});
      problem.parts.push_back(std::move(part));
    }
  if (way == ConvWay::bf16)
    bf16_tap_conv(context, problem, {});
  else
    tap_conv(context, problem);
}

}  // namespace glia::cpu
