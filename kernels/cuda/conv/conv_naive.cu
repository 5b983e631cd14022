// The three passes straight from their formulas (kernels/api/conv2d.h), to read and to compare
// with: a thread computes one element of the result after another, striding by the grid. No shared
// memory, no barriers. Each operand is read as often as it is used.
#include "kernels/cuda/conv/conv_passes.h"
#include "kernels/cuda/conv/gemm_launch.h"

namespace glia::GLIA_GPU {
namespace {

constexpr int kThreads = 128;

/// An operand or result in float32 or bf16, by element.
template <class Void>
struct Elements {
  Void* data;
  std::int64_t pitch;
  bool bf16;

  explicit Elements(const BasicView<Void>& view)
      : data(view.data), pitch(view.pitch), bf16(view.dtype == DType::bf16) {
    if (!bf16 && view && view.dtype != DType::f32) refuse_type(view.dtype, DType::f32);
  }
  __device__ float operator[](std::int64_t i) const {
    return bf16 ? to_float(static_cast<const Bf16*>(data)[i]) : static_cast<const float*>(data)[i];
  }
  /// The one rounding of a result.
  __device__ void put(std::int64_t i, float value, bool accumulate) const {
    if (accumulate) value = (*this)[i] + value;
    if (bf16)
      static_cast<Bf16*>(data)[i] = to_bf16(value);
    else
      static_cast<float*>(data)[i] = value;
  }
};
using In = Elements<const void>;
using Out = Elements<void>;

__device__ std::int64_t first_element() {
  return std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
}

__device__ std::int64_t grid_step() {
  return std::int64_t{gridDim.x} * kThreads;
}

__global__ void __launch_bounds__(kThreads)
    conv2d_forward_naive(ConvGeometry g, In x, In w, const float* b, ResultMap map, Out y,
                         bool accumulate) {
  const std::int64_t count = g.N * g.P * g.Q * g.K;
  for (std::int64_t i = first_element(); i < count; i += grid_step()) {
    const std::int64_t k = i % g.K, pixel = i / g.K;
    const std::int64_t q = pixel % g.Q, p = pixel / g.Q % g.P, n = pixel / g.Q / g.P;
    float sum = b ? b[k] : 0;
    for (std::int64_t r = 0; r < g.R; ++r)
      for (std::int64_t s = 0; s < g.S; ++s) {
        const std::int64_t h = p * g.stride_h + r - g.pad_top;
        const std::int64_t v = q * g.stride_w + s - g.pad_left;
        if (h < 0 || h >= g.H || v < 0 || v >= g.W) continue;
        const std::int64_t from = ((n * g.H + h) * g.W + v) * x.pitch;
        const std::int64_t weights = ((k * g.R + r) * g.S + s) * g.C;
        for (std::int64_t c = 0; c < g.C; ++c) sum += x[from + c] * w[weights + c];
      }
    if (map.data) sum = map(static_cast<int>(k), sum);
    y.put(pixel * y.pitch + k, sum, accumulate);
  }
}

__global__ void __launch_bounds__(kThreads)
    conv2d_dgrad_naive(ConvGeometry g, In dy, In w, const float* b, Out dx, bool accumulate) {
  const std::int64_t count = g.N * g.H * g.W * g.C;
  for (std::int64_t i = first_element(); i < count; i += grid_step()) {
    const std::int64_t c = i % g.C, pixel = i / g.C;
    const std::int64_t v = pixel % g.W, h = pixel / g.W % g.H, n = pixel / g.W / g.H;
    float sum = b ? b[c] : 0;
    for (std::int64_t r = 0; r < g.R; ++r)
      for (std::int64_t s = 0; s < g.S; ++s) {
        // The output pixels that read x[h, v] through window position (r, s): at most one.
        const std::int64_t down = h + g.pad_top - r, right = v + g.pad_left - s;
        if (down < 0 || down % g.stride_h != 0 || right < 0 || right % g.stride_w != 0) continue;
        const std::int64_t p = down / g.stride_h, q = right / g.stride_w;
        if (p >= g.P || q >= g.Q) continue;
        const std::int64_t from = ((n * g.P + p) * g.Q + q) * dy.pitch;
        const std::int64_t weights = (r * g.S + s) * g.C + c;
        for (std::int64_t k = 0; k < g.K; ++k)
          sum += dy[from + k] * w[weights + k * g.R * g.S * g.C];
      }
    dx.put(pixel * dx.pitch + c, sum, accumulate);
  }
}

// Sums a row of pixels at a time, so that the long sum over all pixels loses less.
__global__ void __launch_bounds__(kThreads)
    conv2d_wgrad_naive(ConvGeometry g, In dy, In x, float* dw, bool accumulate) {
  const std::int64_t count = g.K * g.R * g.S * g.C;
  for (std::int64_t i = first_element(); i < count; i += grid_step()) {
    const std::int64_t c = i % g.C, s = i / g.C % g.S, r = i / g.C / g.S % g.R;
    const std::int64_t k = i / g.C / g.S / g.R;
    float sum = 0;
    for (std::int64_t n = 0; n < g.N; ++n)
      for (std::int64_t p = 0; p < g.P; ++p) {
        const std::int64_t h = p * g.stride_h + r - g.pad_top;
        if (h < 0 || h >= g.H) continue;
        float row_sum = 0;
        for (std::int64_t q = 0; q < g.Q; ++q) {
          const std::int64_t v = q * g.stride_w + s - g.pad_left;
          if (v < 0 || v >= g.W) continue;
          row_sum += dy[((n * g.P + p) * g.Q + q) * dy.pitch + k] *
                     x[((n * g.H + h) * g.W + v) * x.pitch + c];
        }
        sum += row_sum;
      }
    dw[i] = accumulate ? dw[i] + sum : sum;
  }
}

LaunchConfig config_of(const KernelContext& context, const Shape& result, const char* name) {
  return {.grid = blocks_for(context, result.numel(), kThreads),
          .block = kThreads,
          .stream = static_cast<cudaStream_t>(context.stream),
          .name = name};
}

}  // namespace

bool conv_forward_naive(KernelContext& context, const ConvGeometry& g, const ConstView& x,
                        const ConstView& w, const Epilogue& end, const View& y, Write write) {
  gpu::launch(conv2d_forward_naive, config_of(context, g.y_shape(), "conv2d_forward_naive"), g,
              In(x), In(w), end.bias.as<float>(), ResultMap{end.map.as<float>(), end.map.pitch},
              Out(y), write == Write::accumulate);
  return false;
}

void conv_dgrad_naive(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& w, const ConstView& b, const View& dx, Write write) {
  gpu::launch(conv2d_dgrad_naive, config_of(context, g.x_shape(), "conv2d_dgrad_naive"), g, In(dy),
              In(w), b.as<float>(), Out(dx), write == Write::accumulate);
}

void conv_wgrad_naive(KernelContext& context, const ConvGeometry& g, const ConstView& dy,
                      const ConstView& x, const View& dw, Write write) {
  gpu::launch(conv2d_wgrad_naive, config_of(context, g.w_shape(), "conv2d_wgrad_naive"), g, In(dy),
              In(x), dw.as<float>(), write == Write::accumulate);
}

}  // namespace glia::GLIA_GPU
