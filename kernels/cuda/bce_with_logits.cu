// Mean binary cross-entropy on logits: kernels/api/loss.h, docs/ops/bce_with_logits.md. Two passes
// over memory in all, one forward and one backward.
//
// Work: kernels/cuda/regions.h with one region, 256 threads a block. Forward adds up a pack in
// float and packs in double, a block writes one partial sum, a second launch adds those up in
// order. Backward is element-wise. Shared memory: forward a double a warp, 256 bytes; backward
// none.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/regions.h"

namespace glia::GLIA_GPU {
namespace {

template <bool kAligned>
__global__ void __launch_bounds__(kRegionThreads)
    bce_with_logits_forward_partial(const float* z, const float* t, Regions regions,
                                    double* partials) {
  auto& smem = gpu::shared<WarpValues<double>>();
  double total = 0;
  for_packs(regions, [&](std::int64_t first, int count) {
    const Pack<4> zs = load_pack<kAligned>(z + first, count);
    const Pack<4> ts = load_pack<kAligned>(t + first, count);
    float losses = 0;
    for (int k = 0; k < 4; ++k) {
      const float positive = zs.at[k] < 0 ? 0.0f : zs.at[k];  // NaN stays
      const float loss = fmaf(-zs.at[k], ts.at[k], positive) + log1pf(expf(-fabsf(zs.at[k])));
      if (k < count) losses += loss;
    }
    total += losses;
  });
  total = block_sum(total, smem);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

template <bool kAligned>
__global__ void __launch_bounds__(kRegionThreads)
    bce_with_logits_backward_map(const float* z, const float* t, const float* dloss,
                                 Regions regions, double share, float* dz, bool accumulate) {
  const auto factor = static_cast<float>(*dloss * share);
  write_gradient<kAligned>(regions, z, t, dz, accumulate,
                           [=](float z_, float t_) { return factor * (logistic(z_) - t_); });
}

}  // namespace

void bce_with_logits_forward(KernelContext& context, const BceWithLogitsForward& a) {
  require_dense(kernel_name<BceWithLogitsForward>, a.logits, a.target);
  const auto *z = a.logits.as<float>(), *t = a.target.as<float>();
  const Regions regions =
      cut_regions(context, kernel_name<BceWithLogitsForward>, a.logits.shape, Region::batch, z, t);
  auto* partials = context.workspace.array<double>(regions.blocks());
  gpu::launch(regions.aligned ? bce_with_logits_forward_partial<true>
                              : bce_with_logits_forward_partial<false>,
              {.grid = regions.blocks(),
               .block = kRegionThreads,
               .smem_bytes = sizeof(WarpValues<double>),
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "bce_with_logits_forward_partial"},
              z, t, regions, partials);
  finish_sum(context, partials, regions.blocks(), 1 / static_cast<double>(regions.elements),
             a.loss.as<float>());
}

void bce_with_logits_backward(KernelContext& context, const BceWithLogitsBackward& a) {
  require_dense(kernel_name<BceWithLogitsBackward>, a.logits, a.target, a.dlogits);
  const auto *z = a.logits.as<float>(), *t = a.target.as<float>();
  auto* dz = a.dlogits.as<float>();
  const Regions regions = cut_regions(context, kernel_name<BceWithLogitsBackward>, a.logits.shape,
                                      Region::batch, z, t, dz);
  gpu::launch(
      regions.aligned ? bce_with_logits_backward_map<true> : bce_with_logits_backward_map<false>,
      {.grid = regions.blocks(),
       .block = kRegionThreads,
       .stream = static_cast<cudaStream_t>(context.stream),
       .name = kernel_name<BceWithLogitsBackward>},
      z, t, a.dloss.as<float>(), regions, 1 / static_cast<double>(regions.elements), dz,
      a.write == Write::accumulate);
}

}  // namespace glia::GLIA_GPU
