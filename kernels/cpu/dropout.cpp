// Dropout: the mask is drawn again in the backward pass instead of being kept.
#include "engine/base/rng.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/runs.h"

namespace glia::cpu {

void dropout(KernelContext& context, const Dropout& a) {
  const auto keep = static_cast<float>(1 / (1 - a.p));
  const std::int64_t channels = a.x.channels();
  const auto passes = static_cast<std::uint64_t>(a.counter ? *a.counter.as<std::int64_t>() : 0);
  const std::uint64_t stream = a.stream + 65536 * passes;
  for_runs(context, a.x.shape, a.x.dense() && a.y.dense(), [&](const Run& run) {
    const float* x = run.of(a.x);
    float* y = run.of(a.y);
    const auto first = a.first + static_cast<std::uint64_t>(run.row * channels + run.first);
    std::array<std::uint32_t, 4> words{};
    for (std::int64_t i = 0; i < run.count; ++i) {
      const std::uint64_t index = first + static_cast<std::uint64_t>(i);
      if (i == 0 || index % 4 == 0) words = philox(a.seed, stream, index / 4);
      const bool kept = (words[index % 4] >> 8) * 0x1p-24 >= a.p;  // as Random::uniform
      const float value = kept ? x[i] * keep : 0.0f;
      y[i] = a.write == Write::accumulate ? y[i] + value : value;
    }
  });
}

}  // namespace glia::cpu
