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

#include "kernels/cpu/map-inl.h"

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

/// Loads up to a vector of channels; absent ones are 0.
HWY_INLINE FloatVec load_channels(Floats d, const float* p, std::int64_t count) {
  return count >= static_cast<std::int64_t>(hn::Lanes(d)) ? hn::LoadU(d, p)
                                                          : load_tail(d, p, count);
}

HWY_INLINE void store_channels(Floats d, FloatVec v, float* p, std::int64_t count) {
  if (count >= static_cast<std::int64_t>(hn::Lanes(d)))
    hn::StoreU(v, d, p);
  else
    store_tail(d, v, p, count);
}

/// Adds to sums[0][c] and sums[1][c] what `term(d, row, c, count)` returns as a pair, for rows
/// [begin, end): registers over kSlabRows rows, then float32 memory.
template <class Term>
HWY_INLINE void add_pairs(std::int64_t begin, std::int64_t end, std::int64_t channels,
                          float* HWY_RESTRICT first, float* HWY_RESTRICT second, const Term& term) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::fill(first, first + channels, 0.0f);
  std::fill(second, second + channels, 0.0f);
  for (std::int64_t row0 = begin; row0 < end; row0 += kSlabRows) {
    const std::int64_t row1 = std::min(end, row0 + kSlabRows);
    for (std::int64_t c = 0; c < channels; c += lanes) {
      const std::int64_t count = channels - c;
      FloatVec s0 = hn::Zero(d), s1 = hn::Zero(d);
      for (std::int64_t row = row0; row < row1; ++row) term(d, row, c, count, s0, s1);
      store_channels(d, hn::Add(load_channels(d, first + c, count), s0), first + c, count);
      store_channels(d, hn::Add(load_channels(d, second + c, count), s1), second + c, count);
    }
  }
}

/// Mean and sum of squared deviations of each channel over rows [first_row, first_row + rows).
/// `mean` and `m2` have C doubles; `scratch` has 3 * kMaxSlabs * C floats.
///
/// A slab's sums are taken about the mean of its first rows, because E[x^2] - E[x]^2 cancels; slabs
/// are merged by Chan's rule (Chan, Golub & LeVeque, 1979).
HWY_INLINE void moments(KernelContext& context, const ConstView& x, std::int64_t first_row,
                        std::int64_t rows, double* mean, double* m2, float* scratch) {
  const std::int64_t C = x.channels(), slabs = slab_count(rows);
  parallel_for(context, slabs, [&](std::int64_t slab) HWY_ATTR {
    const std::int64_t begin = slab * rows / slabs, end = (slab + 1) * rows / slabs;
    float* shift = scratch + slab * 3 * C;
    float *s1 = shift + C, *s2 = s1 + C;
    const auto at = [&](std::int64_t row, std::int64_t c)
                        HWY_ATTR { return x.as<float>() + (first_row + row) * x.pitch + c; };
    const std::int64_t probe = std::min(end, begin + kSlabRows);
    add_pairs(begin, probe, C, s1, s2,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec&) HWY_ATTR { a = hn::Add(a, load_channels(d, at(row, c), count)); });
    const float share = 1.0f / static_cast<float>(probe - begin);
    for (std::int64_t c = 0; c < C; ++c) shift[c] = s1[c] * share;
    add_pairs(begin, end, C, s1, s2,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec& b) HWY_ATTR {
                const FloatVec v = hn::Sub(load_channels(d, at(row, c), count),
                                           load_channels(d, shift + c, count));
                a = hn::Add(a, v);
                b = hn::MulAdd(v, v, b);
              });
  });
  for (std::int64_t c = 0; c < C; ++c) {
    double count = 0, mean_c = 0, m2_c = 0;
    for (std::int64_t slab = 0; slab < slabs; ++slab) {
      const auto n = static_cast<double>((slab + 1) * rows / slabs - slab * rows / slabs);
      const float* sums = scratch + slab * 3 * C;
      const double s1 = sums[C + c], slab_mean = sums[c] + s1 / n;
      const double slab_m2 = sums[2 * C + c] - s1 * s1 / n;
      const double delta = slab_mean - mean_c, total = count + n;
      m2_c += slab_m2 + delta * delta * count * n / total;
      mean_c += delta * n / total;
      count = total;
    }
    mean[c] = mean_c;
    m2[c] = std::max(m2_c, 0.0);
  }
}

/// sums[c] = sum of dy and dots[c] = sum of dy * (x - mean[c]) over rows. `x` may be empty: then
/// dots is 0. `scratch` has 2 * kMaxSlabs * C floats.
HWY_INLINE void gradient_sums(KernelContext& context, const ConstView& dy, const ConstView& x,
                              const float* mean, std::int64_t first_row, std::int64_t rows,
                              double* sums, double* dots, float* scratch) {
  const std::int64_t C = dy.channels(), slabs = slab_count(rows);
  parallel_for(context, slabs, [&](std::int64_t slab) HWY_ATTR {
    const std::int64_t begin = slab * rows / slabs, end = (slab + 1) * rows / slabs;
    float* s1 = scratch + slab * 2 * C;
    const float* dy0 = dy.as<float>() + first_row * dy.pitch;
    if (!x) {
      add_pairs(begin, end, C, s1, s1 + C,
                [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                    FloatVec&) HWY_ATTR {
                  a = hn::Add(a, load_channels(d, dy0 + row * dy.pitch + c, count));
                });
      return;
    }
    const float* x0 = x.as<float>() + first_row * x.pitch;
    add_pairs(begin, end, C, s1, s1 + C,
              [&](Floats d, std::int64_t row, std::int64_t c, std::int64_t count, FloatVec& a,
                  FloatVec& b) HWY_ATTR {
                const FloatVec g = load_channels(d, dy0 + row * dy.pitch + c, count);
                const FloatVec v = hn::Sub(load_channels(d, x0 + row * x.pitch + c, count),
                                           load_channels(d, mean + c, count));
                a = hn::Add(a, g);
                b = hn::MulAdd(g, v, b);
              });
  });
  for (std::int64_t c = 0; c < C; ++c) {
    sums[c] = dots[c] = 0;
    for (std::int64_t slab = 0; slab < slabs; ++slab) {
      sums[c] += scratch[slab * 2 * C + c];
      dots[c] += scratch[slab * 2 * C + C + c];
    }
  }
}

/// Calls `body(row, c, count)` for every vector of channels of rows [first_row, first_row + rows).
template <class Body>
HWY_INLINE void for_channel_vectors(KernelContext& context, std::int64_t first_row,
                                    std::int64_t rows, std::int64_t channels, const Body& body) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  const std::int64_t block = std::max<std::int64_t>(1, kRunLength / channels);
  parallel_for(context, ceil_div(rows, block), [&](std::int64_t i) HWY_ATTR {
    const std::int64_t end = std::min(rows, (i + 1) * block);
    for (std::int64_t row = i * block; row < end; ++row)
      for (std::int64_t c = 0; c < channels; c += lanes) body(first_row + row, c, channels - c);
  });
}

/// y = scale[c] * (x - mean[c]) + shift[c].
HWY_INLINE void normalise(KernelContext& context, const ConstView& x, const View& y,
                          std::int64_t first_row, std::int64_t rows, const float* mean,
                          const float* scale, const float* shift) {
  for_channel_vectors(context, first_row, rows, x.channels(),
                      [&](std::int64_t row, std::int64_t c, std::int64_t count) HWY_ATTR {
                        const Floats d;
                        const FloatVec v =
                            hn::Sub(load_channels(d, x.as<float>() + row * x.pitch + c, count),
                                    load_channels(d, mean + c, count));
                        const FloatVec r = hn::MulAdd(v, load_channels(d, scale + c, count),
                                                      load_channels(d, shift + c, count));
                        store_channels(d, r, y.as<float>() + row * y.pitch + c, count);
                      });
}

/// dx (+)= a[c] * dy + b[c] * (x - mean[c]) + e[c].
HWY_INLINE void normalise_backward(KernelContext& context, const ConstView& dy, const ConstView& x,
                                   const View& dx, Write write, std::int64_t first_row,
                                   std::int64_t rows, const float* mean, const float* a,
                                   const float* b, const float* e) {
  for_channel_vectors(
      context, first_row, rows, x.channels(),
      [&](std::int64_t row, std::int64_t c, std::int64_t count) HWY_ATTR {
        const Floats d;
        const FloatVec g = load_channels(d, dy.as<float>() + row * dy.pitch + c, count);
        const FloatVec v = hn::Sub(load_channels(d, x.as<float>() + row * x.pitch + c, count),
                                   load_channels(d, mean + c, count));
        float* to = dx.as<float>() + row * dx.pitch + c;
        FloatVec r = hn::MulAdd(
            g, load_channels(d, a + c, count),
            hn::MulAdd(v, load_channels(d, b + c, count), load_channels(d, e + c, count)));
        if (write == Write::accumulate) r = hn::Add(r, load_channels(d, to, count));
        store_channels(d, r, to, count);
      });
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
