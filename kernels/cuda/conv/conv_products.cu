#include "kernels/cuda/conv/conv_products.h"

#include <algorithm>

namespace glia::GLIA_GPU {

namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1} << 30;

/// `floats`, of which the kernels count the bytes in 32 bits; throws `Error` where those do not
/// hold them.
int pitch_of(std::int64_t floats) {
  gpu::require(4 * floats <= kMaxCount, "convolution",
               "pixels, or rows of weights, of more than 2^28 elements do not fit");
  return static_cast<int>(floats);
}

/// The windows of x under every output pixel.
Gather windows_of(const ConvGeometry& g, const ConstView& x) {
  narrow(g.N * g.H * g.W);
  return {.data = x.as<float>(),
          .pitch = pitch_of(x.pitch),
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
}

DgradProduct product_of(const ConvGeometry& g, const DgradPart& part, const ConstView& dy,
                        const ConstView& w, const ConstView& b, const View& dx, Write write) {
  const bool accumulate = write == Write::accumulate;
  const GemmShape shape = dgrad_shape(g, part);
  const int taps_h = narrow(part.taps_h), taps_w = narrow(std::max<std::int64_t>(1, part.taps_w));
  const Gather gather = {.data = dy.as<float>(),
                         .pitch = pitch_of(dy.pitch),
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
                               .depth = narrow(shape.depth),
                               .strides = {.low = pitch_of(g.R * g.S * g.C),
                                           .middle = -g.stride_w * g.C,
                                           .high = -g.stride_h * g.S * g.C},
                               .columns = narrow(g.C)};
  const Output output = {.data = dx.as<float>(),
                         .pitch = dx.pitch,
                         .bias = b.as<float>(),
                         .rows = narrow(shape.rows),
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
  return {gather, matrix, output, shape, in_fours(dy) && in_fours(w)};
}

}  // namespace

int narrow(std::int64_t count) {
  gpu::require(-kMaxCount <= count && count <= kMaxCount, "convolution",
               "images of more than 2^30 pixels, or weights of more elements, do not fit");
  return static_cast<int>(count);
}

ForwardProduct forward_product(const ConvGeometry& g, const ConstView& x, const ConstView& w,
                               const ConstView& b, const View& y, Write write) {
  const GemmShape shape = forward_shape(g);
  const RowMatrix matrix = {w.as<float>(), pitch_of(shape.depth), narrow(g.K), narrow(shape.depth)};
  const Output output = {.data = y.as<float>(),
                         .pitch = y.pitch,
                         .bias = b.as<float>(),
                         .rows = narrow(shape.rows),
                         .columns = narrow(g.K),
                         .channels = narrow(g.K),
                         .accumulate = write == Write::accumulate,
                         .fours = in_fours(y)};
  return {windows_of(g, x), matrix, output, shape, in_fours(x) && in_fours(w)};
}

std::vector<DgradProduct> dgrad_products(const ConvGeometry& g, const ConstView& dy,
                                         const ConstView& w, const ConstView& b, const View& dx,
                                         Write write) {
  narrow(g.N * g.H * g.W);
  narrow(g.N * g.P * g.Q);
  narrow(g.R * g.S * g.K);
  std::vector<DgradProduct> products;
  for (const DgradPart& part : dgrad_parts(g)) {
    const bool sums = part.taps_h * part.taps_w * g.K > 0;
    if (sums || write == Write::overwrite || b)
      products.push_back(product_of(g, part, dy, w, b, dx, write));
  }
  return products;
}

ShuffledProduct shuffled_product(const ConvGeometry& g, const ConstView& dy, const ConstView& w,
                                 const ConstView& b, const View& dx, Write write) {
  const GemmShape shape = shuffled_shape(g);
  narrow(g.N * g.H * g.W);
  const RowMatrix rows = {dy.as<float>(), pitch_of(dy.pitch), narrow(shape.rows), narrow(g.K)};
  const ColumnMatrix matrix = {.data = w.as<float>(),
                               .radix = {narrow(g.K), 1},
                               .depth = narrow(g.K),
                               .strides = {.low = pitch_of(shape.columns)},
                               .columns = narrow(shape.columns)};
  const Output output = {.data = dx.as<float>(),
                         .pitch = dx.pitch,
                         .bias = b.as<float>(),
                         .rows = narrow(shape.rows),
                         .columns = narrow(shape.columns),
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
  return {rows, matrix, output, shape, in_fours(dy) && in_fours(w)};
}

WgradProduct wgrad_product(const ConvGeometry& g, const ConstView& dy, const ConstView& x,
                           const View& dw, Write write) {
  const GemmShape shape = wgrad_shape(g);
  const ColumnMatrix matrix = {.data = dy.as<float>(),
                               .radix = {narrow(std::max<std::int64_t>(1, shape.depth)), 1},
                               .depth = narrow(shape.depth),
                               .strides = {.low = pitch_of(dy.pitch)},
                               .columns = narrow(g.K)};
  const Output output = {.data = dw.as<float>(),
                         .pitch = shape.columns,
                         .rows = narrow(g.K),
                         .columns = narrow(shape.columns),
                         .channels = narrow(shape.columns),
                         .accumulate = write == Write::accumulate,
                         .fours = in_fours(dw)};
  return {matrix, windows_of(g, x), output, shape, in_fours(x) && in_fours(dy)};
}

}  // namespace glia::GLIA_GPU
