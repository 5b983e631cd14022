// The small matrices of Winograd's F(4x4,3x3), each applied to a column of vectors. Included once
// an instruction set (Highway's foreach_target). Derivation: docs/ops/conv2d.md.
//
// Polynomials are evaluated at 0, +-2/3, +-3/2 and infinity. As 2/3 * 3/2 = 1, values and
// coefficients stay near 1, which loses about half as much precision as the usual 0, +-1, +-2.
#if defined(GLIA_KERNELS_CPU_CONV_WINOGRAD_MATRICES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CONV_WINOGRAD_MATRICES_INL_H_
#undef GLIA_KERNELS_CPU_CONV_WINOGRAD_MATRICES_INL_H_
#else
#define GLIA_KERNELS_CPU_CONV_WINOGRAD_MATRICES_INL_H_
#endif

#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr float kA = 2.0f / 3, kB = 3.0f / 2;
constexpr float kA2 = kA * kA, kB2 = kB * kB;
// What the usual G divides by: the product of a point's distances to the others.
constexpr float kOverNA = 1 / (2 * kA2 * (kA2 - kB2)), kOverNB = 1 / (2 * kB2 * (kB2 - kA2));

HWY_INLINE FloatVec constant(float value) {
  return hn::Set(Floats(), value);
}

/// One of the four small matrices, applied to a column of vectors.
struct InputMatrix {  // B^T: six pixels to six values
  static constexpr int kIn = 6, kOut = 6;
  static HWY_INLINE void apply(const FloatVec* x, FloatVec* y) {
    const FloatVec sum = constant(kA2 + kB2);
    y[0] = hn::NegMulAdd(sum, x[2], hn::Add(x[0], x[4]));
    const FloatVec even_a = hn::NegMulAdd(constant(kB2), x[2], x[4]);
    const FloatVec odd_a = hn::NegMulAdd(constant(kB2), x[1], x[3]);
    y[1] = hn::MulAdd(constant(kA), odd_a, even_a);
    y[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
    const FloatVec even_b = hn::NegMulAdd(constant(kA2), x[2], x[4]);
    const FloatVec odd_b = hn::NegMulAdd(constant(kA2), x[1], x[3]);
    y[3] = hn::MulAdd(constant(kB), odd_b, even_b);
    y[4] = hn::NegMulAdd(constant(kB), odd_b, even_b);
    y[5] = hn::NegMulAdd(sum, x[3], hn::Add(x[1], x[5]));
  }
};

struct WeightMatrix {  // G: three weights to six values
  static constexpr int kIn = 3, kOut = 6;
  static HWY_INLINE void apply(const FloatVec* w, FloatVec* y) {
    y[0] = w[0];
    const FloatVec even_a = hn::Mul(constant(kOverNA), hn::MulAdd(constant(kA2), w[2], w[0]));
    const FloatVec odd_a = constant(kOverNA * kA);
    y[1] = hn::MulAdd(odd_a, w[1], even_a);
    y[2] = hn::NegMulAdd(odd_a, w[1], even_a);
    const FloatVec even_b = hn::Mul(constant(kOverNB), hn::MulAdd(constant(kB2), w[2], w[0]));
    const FloatVec odd_b = constant(kOverNB * kB);
    y[3] = hn::MulAdd(odd_b, w[1], even_b);
    y[4] = hn::NegMulAdd(odd_b, w[1], even_b);
    y[5] = w[2];
  }
};

struct WeightMatrixTransposed {  // G^T: six values to three weights' gradients
  static constexpr int kIn = 6, kOut = 3;
  static HWY_INLINE void apply(const FloatVec* m, FloatVec* w) {
    const FloatVec sum_a = hn::Mul(constant(kOverNA), hn::Add(m[1], m[2]));
    const FloatVec sum_b = hn::Mul(constant(kOverNB), hn::Add(m[3], m[4]));
    w[0] = hn::Add(m[0], hn::Add(sum_a, sum_b));
    w[1] = hn::MulAdd(constant(kOverNA * kA), hn::Sub(m[1], m[2]),
                      hn::Mul(constant(kOverNB * kB), hn::Sub(m[3], m[4])));
    w[2] = hn::MulAdd(constant(kA2), sum_a, hn::MulAdd(constant(kB2), sum_b, m[5]));
  }
};

struct OutputMatrix {  // A^T: six values to four pixels
  static constexpr int kIn = 6, kOut = 4;
  static HWY_INLINE void apply(const FloatVec* m, FloatVec* y) {
    const FloatVec sum_a = hn::Add(m[1], m[2]), sum_b = hn::Add(m[3], m[4]);
    const FloatVec a = hn::Mul(constant(kA), hn::Sub(m[1], m[2]));
    const FloatVec b = hn::Mul(constant(kB), hn::Sub(m[3], m[4]));
    y[0] = hn::Add(m[0], hn::Add(sum_a, sum_b));
    y[1] = hn::Add(a, b);
    y[2] = hn::MulAdd(constant(kA2), sum_a, hn::Mul(constant(kB2), sum_b));
    y[3] = hn::MulAdd(constant(kA2), a, hn::MulAdd(constant(kB2), b, m[5]));
  }
};

struct OutputMatrixTransposed {  // A: four pixels to six values
  static constexpr int kIn = 4, kOut = 6;
  static HWY_INLINE void apply(const FloatVec* y, FloatVec* m) {
    m[0] = y[0];
    const FloatVec even_a = hn::MulAdd(constant(kA2), y[2], y[0]);
    const FloatVec odd_a = hn::MulAdd(constant(kA2), y[3], y[1]);
    m[1] = hn::MulAdd(constant(kA), odd_a, even_a);
    m[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
    const FloatVec even_b = hn::MulAdd(constant(kB2), y[2], y[0]);
    const FloatVec odd_b = hn::MulAdd(constant(kB2), y[3], y[1]);
    m[3] = hn::MulAdd(constant(kB), odd_b, even_b);
    m[4] = hn::NegMulAdd(constant(kB), odd_b, even_b);
    m[5] = y[3];
  }
};

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
