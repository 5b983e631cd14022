// Sums and affine maps a channel over the rows of NHWC views: what the normalisations and bias
// gradients are made of. Included once an instruction set (Highway's foreach_target).
//
// Rows are cut into a fixed number of slabs, whose float32 sums are merged in double and in order,
// so that results do not depend on the number of threads.
#if defined(GLIA_KERNELS_CPU_CHANNELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CHANNELS_INL_H_
#undef GLIA_KERNELS_CPU_CHANNELS_INL_H_
#else
#define GLIA_KERNELS_CPU_CHANNELS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "kernels/cpu/moments.h"
#include "kernels/cpu/norm_statistics.h"
#include "kernels/cpu/read-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kSlabRows = 64;  // rows whose sums stay in registers
constexpr std::int64_t kMaxSlabs = 64;

inline std::int64_t slab_count(std::int64_t rows) {
  return std::clamp<std::int64_t>(ceil_div(rows, kSlabRows), 1, kMaxSlabs);
}

/// to[c] = value or to[c] += value.
HWY_INLINE void store(const View& to, std::int64_t c, double value, Write write) {
  float& element = to.as<float>()[c];
  element = static_cast<float>(write == Write::accumulate ? element + value : value);
}

/// Adds to sums[0][c] and sums[1][c] what `term(d, row, c, count, s0, s1)` adds to two vectors, for
/// rows [begin, end): registers over kSlabRows rows, then float32 memory.
template <class Term>
HWY_INLINE void add_pairs(std::int64_t begin, std::int64_t end, std::int64_t channels,
                          float* HWY_RESTRICT first, float* HWY_RESTRICT second, const Term& term) {
  const Floats d;
  std::fill(first, first + channels, 0.0f);
  std::fill(second, second + channels, 0.0f);
  for (std::int64_t row0 = begin; row0 < end; row0 += kSlabRows) {
    const std::int64_t row1 = std::min(end, row0 + kSlabRows);
    std::int64_t c = 0;
    for (; c + kLine <= channels; c += kLine) {
      FloatVec s0[kLineVectors], s1[kLineVectors];
      for (int v = 0; v < kLineVectors; ++v) s0[v] = s1[v] = hn::Zero(d);
      for (std::int64_t row = row0; row < row1; ++row)
#pragma GCC unroll 4
        for (int v = 0; v < kLineVectors; ++v) term(d, row, c + v * kLanes, kLanes, s0[v], s1[v]);
      for (int v = 0; v < kLineVectors; ++v) {
        write_some(d, s0[v], first + c + v * kLanes, kLanes, true);
        write_some(d, s1[v], second + c + v * kLanes, kLanes, true);
      }
    }
    for (; c < channels; c += kLanes) {
      const std::int64_t count = channels - c;
      FloatVec s0 = hn::Zero(d), s1 = hn::Zero(d);
      for (std::int64_t row = row0; row < row1; ++row) term(d, row, c, count, s0, s1);
      write_some(d, s0, first + c, count, true);
      write_some(d, s1, second + c, count, true);
    }
  }
}

/// Reads up to a vector of channels of a row, and has a later row on its way.
HWY_INLINE FloatVec read_ahead(Floats d, const ConstView& x, std::int64_t row, std::int64_t c,
                               std::int64_t count) {
  constexpr std::int64_t kAhead = 1024;  // floats, or the next row
  const float* p = x.as<float>() + row * x.pitch + c;
  if (c % kLine == 0) prefetch_to_l2(p + std::max(x.pitch, kAhead / x.pitch * x.pitch));
  return load_some(d, p, count);
}

/// Mean and sum of squared deviations of each channel over rows [first_row, first_row + rows).
/// `mean` and `m2` have C doubles; `scratch` has 3 * kMaxSlabs * C floats.
///
/// A slab's sums are taken about the mean of its first rows, because E[x^2] - E[x]^2 cancels.
HWY_INLINE void moments(KernelContext& context, const ConstView& x, std::int64_t first_row,
                        std::int64_t rows, double* mean, double* m2, float* scratch) {
  const std::int64_t C = x.channels(), slabs = slab_count(rows);
  parallel_for(context, slabs, [&](std::int64_t slab) HWY_ATTR {
    const std::int64_t begin = slab * rows / slabs, end = (slab + 1) * rows / slabs;
    float* shift = scratch + slab * 3 * C;
    float *s1 = shift + C, *s2 = s1 + C;
    const auto read = [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count)
                          HWY_ATTR { return read_ahead(d, x, first_row + row, c, count); };
    const std::int64_t probe = std::min(end, begin + kSlabRows);
    add_pairs(begin, probe, C, s1, s2,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec&) HWY_ATTR { a = hn::Add(a, read(d, row, c, count)); });
    const float share = 1.0f / static_cast<float>(probe - begin);
    for (std::int64_t c = 0; c < C; ++c) shift[c] = s1[c] * share;
    add_pairs(begin, end, C, s1, s2,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec& b) HWY_ATTR {
                const FloatVec v = hn::Sub(read(d, row, c, count), load_some(d, shift + c, count));
                a = hn::Add(a, v);
                b = hn::MulAdd(v, v, b);
              });
  });
  for (std::int64_t c = 0; c < C; ++c) {
    const Moments all = merged(scratch + c, C, slabs, [&](std::int64_t slab) {
      return static_cast<double>((slab + 1) * rows / slabs - slab * rows / slabs);
    });
    mean[c] = all.mean;
    m2[c] = all.squares;
  }
}

/// Adds up the pairs of all slabs, in order.
inline void add_slabs(std::int64_t slabs, std::int64_t C, const float* pairs, double* first,
                      double* second) {
  for (std::int64_t c = 0; c < C; ++c) {
    first[c] = second[c] = 0;
    for (std::int64_t slab = 0; slab < slabs; ++slab) {
      first[c] += pairs[slab * 2 * C + c];
      second[c] += pairs[slab * 2 * C + C + c];
    }
  }
}

/// sums[c] = sum of g and dots[c] = sum of g * (x - mean[c]) over rows, where `gradient(d, row, c,
/// count, x)` gives g. `scratch` has 2 * kMaxSlabs * C floats.
template <class Gradient>
HWY_INLINE void gradient_sums(KernelContext& context, const ConstView& x, const float* mean,
                              std::int64_t first_row, std::int64_t rows, double* sums, double* dots,
                              float* scratch, const Gradient& gradient) {
  const std::int64_t C = x.channels(), slabs = slab_count(rows);
  parallel_for(context, slabs, [&](std::int64_t slab) HWY_ATTR {
    float* s1 = scratch + slab * 2 * C;
    add_pairs(slab * rows / slabs, (slab + 1) * rows / slabs, C, s1, s1 + C,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec& b) HWY_ATTR {
                const FloatVec v = read_ahead(d, x, first_row + row, c, count);
                const FloatVec g = gradient(d, first_row + row, c, count, v);
                a = hn::Add(a, g);
                b = hn::MulAdd(g, hn::Sub(v, load_some(d, mean + c, count)), b);
              });
  });
  add_slabs(slabs, C, scratch, sums, dots);
}

/// A gradient that is dy as it lies.
struct Unmasked {
  const ConstView& dy;
  HWY_INLINE FloatVec operator()(Floats d, std::int64_t row, std::int64_t c, std::int64_t count,
                                 FloatVec) const {
    return read_ahead(d, dy, row, c, count);
  }
};

/// Calls `body(d, row, c, count)` for every vector of channels of rows [first_row, first_row +
/// rows).
template <class Body>
HWY_INLINE void for_channel_vectors(KernelContext& context, std::int64_t first_row,
                                    std::int64_t rows, std::int64_t channels, const Body& body) {
  const std::int64_t block = std::max<std::int64_t>(1, kRunLength / channels);
  parallel_for(context, ceil_div(rows, block), [&](std::int64_t i) HWY_ATTR {
    const Floats d;
    const std::int64_t end = std::min(rows, (i + 1) * block);
    for (std::int64_t row = i * block; row < end; ++row) {
      std::int64_t c = 0;
      for (; c + kLine <= channels; c += kLine)
#pragma GCC unroll 4
        for (int v = 0; v < kLineVectors; ++v) body(d, first_row + row, c + v * kLanes, kLanes);
      for (; c < channels; c += kLanes) body(d, first_row + row, c, channels - c);
    }
  });
}

/// y = scale[c] * (x - mean[c]) + shift[c].
HWY_INLINE void normalise(KernelContext& context, const ConstView& x, const View& y,
                          std::int64_t first_row, std::int64_t rows, const float* mean,
                          const float* scale, const float* shift) {
  for_channel_vectors(context, first_row, rows, x.channels(),
                      [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count) HWY_ATTR {
                        const FloatVec v =
                            hn::Sub(read_ahead(d, x, row, c, count), load_some(d, mean + c, count));
                        const FloatVec r = hn::MulAdd(v, load_some(d, scale + c, count),
                                                      load_some(d, shift + c, count));
                        write_some(d, r, y.as<float>() + row * y.pitch + c, count, false);
                      });
}

/// dx (+)= a[c] * g + b[c] * (x - mean[c]) + e[c], where `gradient(d, row, c, count, x)` gives g.
template <class Gradient>
HWY_INLINE void normalise_backward(KernelContext& context, const ConstView& x, const View& dx,
                                   Write write, std::int64_t first_row, std::int64_t rows,
                                   const float* mean, const float* a, const float* b,
                                   const float* e, const Gradient& gradient) {
  for_channel_vectors(
      context, first_row, rows, x.channels(),
      [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count) HWY_ATTR {
        const FloatVec v = read_ahead(d, x, row, c, count);
        const FloatVec g = gradient(d, row, c, count, v);
        const FloatVec r =
            hn::MulAdd(g, load_some(d, a + c, count),
                       hn::MulAdd(hn::Sub(v, load_some(d, mean + c, count)),
                                  load_some(d, b + c, count), load_some(d, e + c, count)));
        write_some(d, r, dx.as<float>() + row * dx.pitch + c, count, write == Write::accumulate);
      });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
