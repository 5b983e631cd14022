// Counts of true and false positives and negatives, an image a row: kernels/api/loss.h,
// docs/ops/confusion_counts.md. One pass over memory.
//
// Work: kernels/cuda/regions.h, an image a region, 256 threads a block; a block writes its three
// counts, and in a second launch a warp an image adds those up: no atomics, nothing to clear first.
// Shared memory: three counts a warp, 768 bytes.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/regions.h"

namespace glia::GLIA_GPU {
namespace {

struct Hits {
  long long both, predicted_only, target_only;

  __device__ void operator+=(const Hits& other) {
    both += other.both;
    predicted_only += other.predicted_only;
    target_only += other.target_only;
  }
};

template <bool kAligned>
__global__ void __launch_bounds__(kRegionThreads)
    confusion_counts_partial(const float* prediction, const float* target, float t, Regions images,
                             Hits* partials) {
  auto& smem = gpu::shared<WarpValues<Hits>>();
  Hits hits{};
  for_packs(images, [&](std::int64_t first, int count) {
    const Pack<4> predictions = load_pack<kAligned>(prediction + first, count);
    const Pack<4> targets = load_pack<kAligned>(target + first, count);
    for (int k = 0; k < 4; ++k) {
      // Packs are filled up with 0, which may lie above t.
      const bool said = k < count && predictions.at[k] > t, is = targets.at[k] > 0.5f;
      hits.both += said && is;
      hits.predicted_only += said && !is;
      hits.target_only += is && !said;
    }
  });
  hits = block_sum(hits, smem);
  if (threadIdx.x == 0) partials[blockIdx.x] = hits;
}

__global__ void __launch_bounds__(kRegionThreads)
    confusion_counts_merge(const Hits* partials, Regions images, std::int64_t* counts) {
  const unsigned image = blockIdx.x * (kRegionThreads / 32) + threadIdx.x / 32;
  if (image >= images.count) return;  // the whole warp
  const Hits hits = warp_total(partials + std::int64_t{image} * images.chunks, images.chunks);
  if (threadIdx.x % 32 != 0) return;
  std::int64_t* row = counts + std::int64_t{image} * 4;
  row[0] = hits.both;
  row[1] = hits.predicted_only;
  row[2] = hits.target_only;
  row[3] = images.elements - hits.both - hits.predicted_only - hits.target_only;
}

}  // namespace

void confusion_counts(KernelContext& context, const ConfusionCounts& a) {
  require_dense(kernel_name<ConfusionCounts>, a.prediction, a.target);
  const auto *prediction = a.prediction.as<float>(), *target = a.target.as<float>();
  const Regions images = cut_regions(context, kernel_name<ConfusionCounts>, a.prediction.shape,
                                     Region::image, prediction, target);
  auto* partials = context.workspace.array<Hits>(images.blocks());
  const auto stream = static_cast<cudaStream_t>(context.stream);
  gpu::launch(images.aligned ? confusion_counts_partial<true> : confusion_counts_partial<false>,
              {.grid = images.blocks(),
               .block = kRegionThreads,
               .smem_bytes = sizeof(WarpValues<Hits>),
               .stream = stream,
               .name = "confusion_counts_partial"},
              prediction, target, static_cast<float>(a.t), images, partials);
  constexpr unsigned kImages = kRegionThreads / 32;  // of a block of the second launch
  gpu::launch(confusion_counts_merge,
              {.grid = (images.count + kImages - 1) / kImages,
               .block = kRegionThreads,
               .stream = stream,
               .name = "confusion_counts_merge"},
              partials, images, a.counts.as<std::int64_t>());
}

}  // namespace glia::GLIA_GPU
