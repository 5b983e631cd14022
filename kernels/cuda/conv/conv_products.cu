#include "kernels/cuda/conv/conv_products.h"

#include <algorithm>
#include <type_traits>

namespace glia::GLIA_GPU {

namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1} << 30;

/// `elements`, of which the kernels count the bytes in 32 bits; throws `Error` where those do not
/// hold them.
int pitch_of(std::int64_t elements) {
  gpu::require(4 * elements <= kMaxCount, "convolution",
               "pixels, or rows of weights, of more than 2^28 elements do not fit");
  return static_cast<int>(elements);
}

/// Where the results of products of T go. Throws `Error` where they cannot have the view's type.
template <class T>
Output output_to(const View& view) {
  Output output{.pitch = view.pitch, .pieces = in_pieces(view)};
  output.bf16 = std::is_same_v<T, Bf16> && view.dtype == DType::bf16;
  if (output.bf16)
    output.data = view.as<Bf16>();
  else
    output.data = view.as<float>();
  return output;
}

/// Whether both can be read 16 bytes at a time, and as they are.
bool read_in_pieces(const ConstView& a, const ConstView& b) {
  return a.dtype == b.dtype && in_pieces(a) && in_pieces(b);
}

/// The windows of x under every output pixel.
template <class T>
Gather<T> windows_of(const ConvGeometry& g, const ConstView& x) {
  narrow(g.N * g.H * g.W);
  return {.data = x.as<T>(),
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

template <class T, class D>
DgradProduct<T, D> product_of(const ConvGeometry& g, const DgradPart& part, const ConstView& dy,
                              const ConstView& w, const ConstView& b, const View& dx, Write write) {
  const GemmShape shape = dgrad_shape(g, part);
  const int taps_h = narrow(part.taps_h), taps_w = narrow(std::max<std::int64_t>(1, part.taps_w));
  const Gather<D> gather = {.data = dy.as<D>(),
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
  const std::int64_t across = part.taps_w > 1 ? -g.stride_w * g.C : 0;
  const std::int64_t down = part.taps_h > 1 ? -g.stride_h * g.S * g.C : 0;
  const TapMatrix<T> matrix = {
      .data = w.as<T>() + (part.last_r * g.S + part.last_s) * g.C,
      .radix = {gather.channels, taps_w},
      .strides = {.low = pitch_of(g.R * g.S * g.C), .middle = narrow(across), .high = narrow(down)},
      .depth = narrow(shape.depth),
      .columns = narrow(g.C)};
  Output output = output_to<T>(dx);
  output.bias = b.as<float>();
  output.rows = narrow(shape.rows);
  output.columns = output.channels = narrow(g.C);
  output.accumulate = write == Write::accumulate;
  output.scattered = g.stride_h > 1 || g.stride_w > 1;
  output.height = narrow(g.H);
  output.width = narrow(g.W);
  output.grid_rows = gather.grid_rows;
  output.grid_columns = gather.grid_columns;
  output.step_h = narrow(g.stride_h);
  output.step_w = narrow(g.stride_w);
  output.first_h = narrow(part.first_h);
  output.first_w = narrow(part.first_w);
  return {gather, matrix, output, shape, read_in_pieces(dy, w)};
}

}  // namespace

int narrow(std::int64_t count) {
  gpu::require(-kMaxCount <= count && count <= kMaxCount, "convolution",
               "images of more than 2^30 pixels, or weights of more elements, do not fit");
  return static_cast<int>(count);
}

template <class T>
ForwardProduct<T> forward_product(const ConvGeometry& g, const ConstView& x, const ConstView& w,
                                  const Epilogue& end, const View& y, Write write) {
  const GemmShape shape = forward_shape(g);
  const RowMatrix<T> matrix = {w.as<T>(), pitch_of(shape.depth), narrow(g.K), narrow(shape.depth)};
  Output output = output_to<T>(y);
  output.bias = end.bias.as<float>();
  output.map = {end.map.as<float>(), end.map.pitch};
  output.moments.total = end.moments.as<double>();
  output.moments.pitch = end.moments.pitch;
  output.rows = narrow(shape.rows);
  output.columns = output.channels = narrow(g.K);
  output.accumulate = write == Write::accumulate;
  return {windows_of<T>(g, x), matrix, output, shape, read_in_pieces(x, w)};
}

template <class T, class D>
std::vector<DgradProduct<T, D>> dgrad_products(const ConvGeometry& g, const ConstView& dy,
                                               const ConstView& w, const ConstView& b,
                                               const View& dx, Write write) {
  narrow(g.N * g.H * g.W);
  narrow(g.N * g.P * g.Q);
  narrow(g.R * g.S * g.K);
  std::vector<DgradProduct<T, D>> products;
  for (const DgradPart& part : dgrad_parts(g)) {
    const bool sums = part.taps_h * part.taps_w * g.K > 0;
    if (sums || write == Write::overwrite || b)
      products.push_back(product_of<T, D>(g, part, dy, w, b, dx, write));
  }
  return products;
}

template <class T, class D>
ShuffledProduct<T, D> shuffled_product(const ConvGeometry& g, const ConstView& dy,
                                       const ConstView& w, const ConstView& b, const View& dx,
                                       Write write) {
  const GemmShape shape = shuffled_shape(g);
  narrow(g.N * g.H * g.W);
  const RowMatrix<D> rows = {dy.as<D>(), pitch_of(dy.pitch), narrow(shape.rows), narrow(g.K)};
  const int columns = pitch_of(shape.columns);
  const ColumnMatrix<T> matrix = {w.as<T>(), columns, narrow(g.K), columns};
  Output output = output_to<T>(dx);
  output.bias = b.as<float>();
  output.rows = narrow(shape.rows);
  output.columns = narrow(shape.columns);
  output.channels = narrow(g.C);
  output.window_columns = narrow(g.S);
  output.accumulate = write == Write::accumulate;
  output.scattered = true;
  output.height = narrow(g.H);
  output.width = narrow(g.W);
  output.grid_rows = narrow(g.P);
  output.grid_columns = narrow(g.Q);
  output.step_h = narrow(g.R);
  output.step_w = narrow(g.S);
  return {rows, matrix, output, shape, read_in_pieces(dy, w)};
}

template <class T, class D>
WgradProduct<T, D> wgrad_product(const ConvGeometry& g, const ConstView& dy, const ConstView& x,
                                 const View& dw, Write write) {
  const GemmShape shape = wgrad_shape(g);
  const ColumnMatrix<D> matrix = {dy.as<D>(), pitch_of(dy.pitch), narrow(shape.depth), narrow(g.K)};
  const Output output = {.data = dw.as<float>(),
                         .pitch = shape.columns,
                         .rows = narrow(g.K),
                         .columns = narrow(shape.columns),
                         .channels = narrow(shape.columns),
                         .accumulate = write == Write::accumulate,
                         .pieces = in_pieces(dw)};
  return {matrix, windows_of<T>(g, x), output, shape, read_in_pieces(x, dy)};
}

template ForwardProduct<float> forward_product(const ConvGeometry&, const ConstView&,
                                               const ConstView&, const Epilogue&, const View&,
                                               Write);
template ForwardProduct<Bf16> forward_product(const ConvGeometry&, const ConstView&,
                                              const ConstView&, const Epilogue&, const View&,
                                              Write);
#define GLIA_BACKWARD_PRODUCTS(T, D)                                                               \
  template std::vector<DgradProduct<T, D>> dgrad_products(const ConvGeometry&, const ConstView&,   \
                                                          const ConstView&, const ConstView&,      \
                                                          const View&, Write);                     \
  template ShuffledProduct<T, D> shuffled_product(const ConvGeometry&, const ConstView&,           \
                                                  const ConstView&, const ConstView&, const View&, \
                                                  Write);                                          \
  template WgradProduct<T, D> wgrad_product(const ConvGeometry&, const ConstView&,                 \
                                            const ConstView&, const View&, Write);
GLIA_BACKWARD_PRODUCTS(float, float)
GLIA_BACKWARD_PRODUCTS(Bf16, Bf16)
GLIA_BACKWARD_PRODUCTS(Bf16, float)
#undef GLIA_BACKWARD_PRODUCTS

}  // namespace glia::GLIA_GPU
