// Group norm, an image at a time: the moments of each channel are merged within its group, then the
// same affine passes run as in batch norm. Formulas: kernels/api/group_norm.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/group_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "kernels/cpu/channels-inl.h"
#include "kernels/cpu/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

void group_norm_forward(KernelContext& context, const GroupNormForward& a) {
  const std::int64_t C = a.x.channels(), N = a.x.shape[0], rows = a.x.rows() / N;
  const std::int64_t width = C / a.groups;
  auto* scratch = context.workspace.array<float>((3 * kMaxSlabs + 2) * C);
  float *scale = scratch + 3 * kMaxSlabs * C, *centre = scale + C;
  std::vector<double> mean(static_cast<std::size_t>(C)), m2(mean.size());
  for (std::int64_t n = 0; n < N; ++n) {
    moments(context, a.x, n * rows, rows, mean.data(), m2.data(), scratch);
    for (std::int64_t group = 0; group < a.groups; ++group) {
      const std::int64_t c0 = group * width, c1 = c0 + width;
      double group_mean = 0, group_m2 = 0;
      for (auto c = static_cast<std::size_t>(c0); c < static_cast<std::size_t>(c1); ++c)
        group_mean += mean[c] / static_cast<double>(width);
      for (auto c = static_cast<std::size_t>(c0); c < static_cast<std::size_t>(c1); ++c) {
        const double delta = mean[c] - group_mean;
        group_m2 += m2[c] + delta * delta * static_cast<double>(rows);
      }
      const double inv = 1 / std::sqrt(group_m2 / static_cast<double>(rows * width) + a.epsilon);
      a.mean.as<float>()[n * a.groups + group] = static_cast<float>(group_mean);
      a.invstd.as<float>()[n * a.groups + group] = static_cast<float>(inv);
      for (std::int64_t c = c0; c < c1; ++c) {
        scale[c] = static_cast<float>(a.gamma.as<float>()[c] * inv);
        centre[c] = static_cast<float>(group_mean);
      }
    }
    normalise(context, a.x, a.y, n * rows, rows, centre, scale, a.beta.as<float>());
  }
}

void group_norm_backward(KernelContext& context, const GroupNormBackward& a) {
  const std::int64_t C = a.x.channels(), N = a.x.shape[0], rows = a.x.rows() / N;
  const std::int64_t width = C / a.groups;
  const auto count = static_cast<double>(rows * width);
  const float* gamma = a.gamma.as<float>();
  auto* scratch = context.workspace.array<float>((2 * kMaxSlabs + 4) * C);
  float *k_dy = scratch + 2 * kMaxSlabs * C, *k_x = k_dy + C, *k_1 = k_x + C, *centre = k_1 + C;
  const auto size = static_cast<std::size_t>(C);
  std::vector<double> sums(size), dots(size), dgamma(size), dbeta(size);
  const Unmasked dy{a.dy};
  for (std::int64_t n = 0; n < N; ++n) {
    const float *mean = a.mean.as<float>() + n * a.groups,
                *invstd = a.invstd.as<float>() + n * a.groups;
    for (std::int64_t c = 0; c < C; ++c) centre[c] = mean[c / width];
    gradient_sums(context, a.x, centre, n * rows, rows, sums.data(), dots.data(), scratch, dy);
    for (std::int64_t group = 0; group < a.groups; ++group) {
      const double inv = invstd[group];
      double sum = 0, dot = 0;  // of dxhat and of dxhat * xhat over the group
      for (std::int64_t c = group * width; c < (group + 1) * width; ++c) {
        const auto i = static_cast<std::size_t>(c);
        sum += gamma[c] * sums[i];
        dot += gamma[c] * dots[i] * inv;
        dgamma[i] += dots[i] * inv;
        dbeta[i] += sums[i];
      }
      for (std::int64_t c = group * width; c < (group + 1) * width; ++c) {
        k_dy[c] = static_cast<float>(gamma[c] * inv);
        k_x[c] = static_cast<float>(-inv * inv * dot / count);
        k_1[c] = static_cast<float>(-inv * sum / count);
      }
    }
    if (a.dx)
      normalise_backward(context, a.x, a.dx, a.write, n * rows, rows, centre, k_dy, k_x, k_1, dy);
  }
  for (std::int64_t c = 0; c < C; ++c) {
    store(a.dgamma, c, dgamma[static_cast<std::size_t>(c)], a.write_params);
    store(a.dbeta, c, dbeta[static_cast<std::size_t>(c)], a.write_params);
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::cpu {
GLIA_DISPATCH(group_norm_forward, GroupNormForward)
GLIA_DISPATCH(group_norm_backward, GroupNormBackward)
}  // namespace glia::cpu
#endif
