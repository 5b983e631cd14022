// sigmoid(x) for vectors. Included once an instruction set (Highway's foreach_target).
#if defined(GLIA_KERNELS_CPU_SIGMOID_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_SIGMOID_INL_H_
#undef GLIA_KERNELS_CPU_SIGMOID_INL_H_
#else
#define GLIA_KERNELS_CPU_SIGMOID_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// 1 / (1 + exp(-x)). Below -87 the result is the smallest normal float instead of a denormal: Exp
/// is exact only up to 88. NaN stays NaN.
template <class D, class V>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V low = hn::Set(d, -87.0f);
  const V bounded = hn::IfThenElse(hn::Lt(x, low), low, x);
  const V y = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(bounded))));
  return hn::IfThenElse(hn::IsNaN(x), x, y);  // Exp of NaN is 0
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
