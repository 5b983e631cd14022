// Sums for the moments of a result, while its values are still in registers. Included once an
// instruction set (Highway's foreach_target).
#if defined(GLIA_KERNELS_CPU_MOMENT_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_MOMENT_SUMS_INL_H_
#undef GLIA_KERNELS_CPU_MOMENT_SUMS_INL_H_
#else
#define GLIA_KERNELS_CPU_MOMENT_SUMS_INL_H_
#endif

#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// Sums of a vector of channels over the pixels of a part of a result, about the first of them
/// (moments.h). `memory` keeps them between uses: shift, sum and squares, `step` floats apart.
struct MomentSums {
  bool fresh;  // nothing was added yet
  FloatVec shift, sum, squares;

  MomentSums() = default;
  HWY_INLINE MomentSums(const float* memory, std::int64_t step, bool fresh_) : fresh(fresh_) {
    const Floats d;
    shift = fresh ? hn::Zero(d) : hn::Load(d, memory);
    sum = fresh ? hn::Zero(d) : hn::Load(d, memory + step);
    squares = fresh ? hn::Zero(d) : hn::Load(d, memory + 2 * step);
  }
  /// `first`: of the values that are added before the sums are kept.
  HWY_INLINE void add(FloatVec x, bool first) {
    if (first && fresh) shift = x;
    const FloatVec delta = hn::Sub(x, shift);
    sum = hn::Add(sum, delta);
    squares = hn::MulAdd(delta, delta, squares);
  }
  HWY_INLINE void keep(float* memory, std::int64_t step) const {
    const Floats d;
    hn::Store(shift, d, memory);
    hn::Store(sum, d, memory + step);
    hn::Store(squares, d, memory + 2 * step);
  }
};

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
