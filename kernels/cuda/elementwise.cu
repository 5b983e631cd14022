// The element-wise kernels of kernels/api/elementwise.h: one expression each. Work and memory:
// kernels/cuda/map.h.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/map.h"

namespace glia::GLIA_GPU {
namespace {

struct Relu {
  // Not fmaxf, which turns NaN into 0: a NaN must reach the loss to be noticed.
  __device__ float operator()(float x) const { return x < 0 ? 0.0f : x; }
};

struct ReluGradient {
  __device__ float operator()(float dy, float y) const { return y > 0 ? dy : y <= 0 ? 0.0f : y; }
};

struct Sigmoid {
  // Like the CPU's: never less than the smallest normal float.
  __device__ float operator()(float x) const {
    return 1.0f / (1.0f + expf(-(x < -87.0f ? -87.0f : x)));
  }
};

struct SigmoidGradient {
  __device__ float operator()(float dy, float y) const { return dy * (y * (1.0f - y)); }
};

struct Plus {
  __device__ float operator()(float a, float b) const { return a + b; }
};

struct Times {
  __device__ float operator()(float a, float b) const { return a * b; }
};

struct Multiple {
  float alpha;
  __device__ float operator()(float x) const { return x * alpha; }
};

struct Above {
  float t;
  __device__ float operator()(float x) const { return x > t ? 1.0f : x <= t ? 0.0f : x; }
};

struct Constant {
  float value;
  __device__ float operator()() const { return value; }
};

// The scalar is read here, once a thread: it need not be known on the host.
template <int kPack, class T>
__global__ void __launch_bounds__(kMapThreads)
    fill_packs(Elements elements, Strided<T> y, bool accumulate, const float* scalar,
               double alpha) {
  const auto value = static_cast<float>(alpha * (scalar != nullptr ? *scalar : 1.0f));
  map_elements<kPack>(elements, Constant{value}, y, accumulate);
}

}  // namespace

void relu_forward(KernelContext& context, const ReluForward& a) {
  map(context, name_of(a), Relu{}, a.y, Write::overwrite, a.x);
}

void relu_backward(KernelContext& context, const ReluBackward& a) {
  map(context, name_of(a), ReluGradient{}, a.dx, a.write, a.dy, a.y);
}

void sigmoid_forward(KernelContext& context, const SigmoidForward& a) {
  map(context, name_of(a), Sigmoid{}, a.y, Write::overwrite, a.x);
}

void sigmoid_backward(KernelContext& context, const SigmoidBackward& a) {
  map(context, name_of(a), SigmoidGradient{}, a.dx, a.write, a.dy, a.y);
}

void add(KernelContext& context, const Add& a) {
  map(context, name_of(a), Plus{}, a.y, Write::overwrite, a.a, a.b);
}

void mul(KernelContext& context, const Mul& a) {
  map(context, name_of(a), Times{}, a.y, a.write, a.a, a.b);
}

// Also the conversions: x and y may be of either type.
void scale(KernelContext& context, const Scale& a) {
  const Multiple multiple{static_cast<float>(a.alpha)};
  with_type_of(a.y, [&](auto y) {
    with_type_of(a.x, [&](auto x) {
      map_as<decltype(y), decltype(x)>(context, name_of(a), multiple, a.y, a.write, a.x);
    });
  });
}

void threshold(KernelContext& context, const Threshold& a) {
  map(context, name_of(a), Above{static_cast<float>(a.t)}, a.mask, Write::overwrite, a.x);
}

void fill(KernelContext& context, const Fill& a) {
  with_type_of(a.y, [&](auto type) {
    using T = decltype(type);
    constexpr int kPack = kPackOf<T>;
    const Elements elements = elements_of(kPack, a.y);
    if (elements.count == 0) return;
    gpu::launch(elements.packed ? fill_packs<kPack, T> : fill_packs<1, T>,
                map_launch(context, name_of(a), elements, elements.packed ? kPack : 1), elements,
                strided<T>(a.y), a.write == Write::accumulate, a.scalar.as<float>(), a.alpha);
  });
}

}  // namespace glia::GLIA_GPU
