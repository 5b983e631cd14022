// Sums over the shards of a batch: kernels/api/shards.h. A run of elements goes through all its
// levels while it is in the cache.
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/runs.h"

namespace glia::cpu {

namespace {

template <class T>
void fold_run(T* parts, std::int64_t count, std::int64_t pitch, std::int64_t length) {
  for (std::int64_t step = 1; step < count; step *= 2)
    for (std::int64_t part = 0; part + step < count; part += 2 * step) {
      T* to = parts + part * pitch;
      const T* from = to + step * pitch;
      for (std::int64_t i = 0; i < length; ++i) to[i] += from[i];
    }
}

}  // namespace

void fold(KernelContext& context, const Fold& a) {
  const std::int64_t count = a.parts.shape[0], n = a.parts.shape.numel() / count;
  parallel_for(context, dense_runs(n), [&](std::int64_t i) {
    const Run run = dense_run(i, n);
    if (a.parts.dtype == DType::f64)
      fold_run(a.parts.as<double>() + run.first, count, n, run.count);
    else
      fold_run(a.parts.as<float>() + run.first, count, n, run.count);
  });
}

void merge_moments(KernelContext&, const MergeMoments& a) {
  const std::int64_t count = a.parts.shape[0], channels = a.moments.channels();
  const auto rows = static_cast<double>(a.rows);
  auto *mean = a.moments.as<double>(), *squares = mean + a.moments.pitch;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double* part = a.parts.as<double>() + c;
    double total = 0;
    for (std::int64_t i = 0; i < count; ++i) total += part[2 * i * channels];
    mean[c] = total / static_cast<double>(count);
    squares[c] = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double d = part[2 * i * channels] - mean[c];
      squares[c] += part[(2 * i + 1) * channels] + rows * d * d;
    }
  }
}

}  // namespace glia::cpu
