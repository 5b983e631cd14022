// conv2d by oneDNN's convolutions, conv_transpose2d by its deconvolutions: the same calls, but for
// the order of the filter's extents. Algorithm: direct, never Winograd, so that rounding errors are
// those of a sum of products.
#include <algorithm>

#include "kernels/onednn/call.h"
#include "kernels/onednn/interface.h"
#include "kernels/onednn/kernels.h"

namespace glia::onednn {

namespace {

struct Convolution {
  using Forward = dnnl::convolution_forward;
  using Dgrad = dnnl::convolution_backward_data;
  using Wgrad = dnnl::convolution_backward_weights;
  static constexpr auto kDirect = dnnl::algorithm::convolution_direct;
  static constexpr bool kTransposed = false;
};

struct Deconvolution {
  using Forward = dnnl::deconvolution_forward;
  using Dgrad = dnnl::deconvolution_backward_data;
  using Wgrad = dnnl::deconvolution_backward_weights;
  static constexpr auto kDirect = dnnl::algorithm::deconvolution_direct;
  static constexpr bool kTransposed = true;
};

/// A layer's tensors, or their gradients: a pass computes one of them (and perhaps the bias's).
struct Tensors {
  ConstView source, filter, bias, result;
};

/// Strides and paddings as oneDNN takes them.
struct Window {
  dnnl::memory::dims strides, before, after;
};

/// Rows below an image of `extent` rows (or columns to its right) that `out` windows need.
std::int64_t padding_after(std::int64_t extent, std::int64_t window, std::int64_t stride,
                           std::int64_t before, std::int64_t out) {
  return std::max<std::int64_t>(0, (out - 1) * stride + window - before - extent);
}

Window window_of(const ConvGeometry& g) {
  return {.strides = {g.stride_h, g.stride_w},
          .before = {g.pad_top, g.pad_left},
          .after = {padding_after(g.H, g.R, g.stride_h, g.pad_top, g.P),
                    padding_after(g.W, g.S, g.stride_w, g.pad_left, g.Q)}};
}

/// The layouts that a primitive is asked for.
struct Forms {
  Desc source, filter, bias, result;  // the bias without a type where there is none
};

template <class Family>
dnnl::primitive_desc_base describe(const dnnl::engine& engine, ConvPass pass, const Forms& f,
                                   const Window& w) {
  const dnnl::primitive_attr attr = attributes();
  const auto forward = describe_forward<typename Family::Forward::primitive_desc>(
      engine, attr, dnnl::prop_kind::forward_training, Family::kDirect, f.source, f.filter, f.bias,
      f.result, w.strides, w.before, w.after);
  if (pass == ConvPass::forward) return forward;
  if (pass == ConvPass::dgrad)
    return describe_backward<typename Family::Dgrad::primitive_desc>(
        engine, attr, forward, Family::kDirect, f.source, f.filter, f.result, w.strides, w.before,
        w.after);
  return describe_backward<typename Family::Wgrad::primitive_desc>(
      engine, attr, forward, Family::kDirect, f.source, f.filter, f.bias, f.result, w.strides,
      w.before, w.after);
}

std::vector<Operand> operands_of(ConvPass pass, const Tensors& t, bool transposed, Write write,
                                 Write write_bias) {
  const Desc source = image_desc(t.source), filter = filter_desc(t.filter, transposed),
             result = image_desc(t.result);
  std::vector<Operand> operands;
  switch (pass) {
    case ConvPass::forward:
      operands = {input(DNNL_ARG_SRC, source, t.source), input(DNNL_ARG_WEIGHTS, filter, t.filter),
                  output(DNNL_ARG_DST, result, t.result, write)};
      if (t.bias) operands.push_back(input(DNNL_ARG_BIAS, vector_desc(t.bias), t.bias));
      break;
    case ConvPass::dgrad:
      operands = {input(DNNL_ARG_DIFF_DST, result, t.result),
                  input(DNNL_ARG_WEIGHTS, filter, t.filter),
                  output(DNNL_ARG_DIFF_SRC, source, t.source, write)};
      break;
    case ConvPass::wgrad:
      operands = {input(DNNL_ARG_DIFF_DST, result, t.result), input(DNNL_ARG_SRC, source, t.source),
                  output(DNNL_ARG_DIFF_WEIGHTS, filter, t.filter, write)};
      if (t.bias)
        operands.push_back(output(DNNL_ARG_DIFF_BIAS, vector_desc(t.bias), t.bias, write_bias));
      break;
  }
  return operands;
}

template <class Family>
void convolve(KernelContext& context, const char* op, ConvPass pass, const ConvGeometry& g,
              const Tensors& t, Write write = Write::overwrite,
              Write write_bias = Write::overwrite) {
  const auto describe_it = [&](const dnnl::engine& engine) {
    const bool blocked = library_of(context).layouts() == Layouts::blocked;
    const auto image = [&](const ConstView& view) {
      return blocked ? any_layout(image_desc(view)) : dense_nhwc(image_desc(view));
    };
    const Forms forms{.source = image(t.source),
                      .filter = any_layout(filter_desc(t.filter, Family::kTransposed)),
                      .bias = t.bias ? vector_desc(t.bias) : Desc(),
                      .result = image(t.result)};
    return describe<Family>(engine, pass, forms, window_of(g));
  };
  run(context, {.op = op,
                .parameters = {{"stride_h", g.stride_h},
                               {"stride_w", g.stride_w},
                               {"pad_top", g.pad_top},
                               {"pad_left", g.pad_left}},
                .operands = operands_of(pass, t, Family::kTransposed, write, write_bias),
                .describe = describe_it});
}

}  // namespace

void conv2d_forward(KernelContext& context, const Conv2dForward& a) {
  convolve<Convolution>(context, name_of(a), ConvPass::forward, a.geometry,
                        {.source = a.x, .filter = a.w, .bias = a.b, .result = a.y});
}

void conv2d_dgrad(KernelContext& context, const Conv2dDgrad& a) {
  convolve<Convolution>(context, name_of(a), ConvPass::dgrad, a.geometry,
                        {.source = a.dx, .filter = a.w, .bias = {}, .result = a.dy}, a.write);
}

void conv2d_wgrad(KernelContext& context, const Conv2dWgrad& a) {
  convolve<Convolution>(context, name_of(a), ConvPass::wgrad, a.geometry,
                        {.source = a.x, .filter = a.dw, .bias = a.db, .result = a.dy}, a.write,
                        a.write_bias);
}

void conv_transpose2d_forward(KernelContext& context, const ConvTranspose2dForward& a) {
  convolve<Deconvolution>(context, name_of(a), ConvPass::forward, a.geometry,
                          {.source = a.x, .filter = a.w, .bias = a.b, .result = a.y});
}

void conv_transpose2d_dgrad(KernelContext& context, const ConvTranspose2dDgrad& a) {
  convolve<Deconvolution>(context, name_of(a), ConvPass::dgrad, a.geometry,
                          {.source = a.dx, .filter = a.w, .bias = {}, .result = a.dy}, a.write);
}

void conv_transpose2d_wgrad(KernelContext& context, const ConvTranspose2dWgrad& a) {
  convolve<Deconvolution>(context, name_of(a), ConvPass::wgrad, a.geometry,
                          {.source = a.x, .filter = a.dw, .bias = a.db, .result = a.dy}, a.write,
                          a.write_bias);
}

}  // namespace glia::onednn
