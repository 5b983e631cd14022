// The IoU and the Dice loss, the sigmoid fused in: kernels/api/loss.h, docs/ops/iou_loss.md,
// docs/ops/dice_loss.md. Two passes over memory in all: forward reads logits and target, backward
// reads them again and writes dlogits; what couples the pixels is two numbers a region in between.
//
// Work: kernels/cuda/regions.h, 256 threads a block. Forward adds up a pack in float and packs in
// double, a block writes one Overlap; in a second launch a warp a region adds those up in order,
// and thread 0 the regions' losses. Backward is element-wise. Shared memory: forward an Overlap a
// warp, 768 bytes, then a double a warp, 256; backward 8 bytes.
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/regions.h"

namespace glia::GLIA_GPU {
namespace {

/// Sums of p*t, of p and of t, with p = sigmoid(z).
struct Overlap {
  double intersection, prediction, target;

  __device__ void operator+=(const Overlap& other) {
    intersection += other.intersection;
    prediction += other.prediction;
    target += other.target;
  }
};

/// A row of the view `sums`: I, and U (IoU) or P + T (Dice).
struct Sums {
  double intersection, whole;
};

/// A region's dloss/dp is constant + target * t.
struct Slopes {
  double constant, target;
};

struct Iou {
  static __device__ Sums sums(const Overlap& o) {
    return {o.intersection, o.prediction + o.target - o.intersection};
  }
  static __device__ double loss(const Sums& s, double smooth) {
    return -log((s.intersection + smooth) / (s.whole + smooth));
  }
  static __device__ Slopes slopes(const Sums& s, double smooth) {
    const double i = 1 / (s.intersection + smooth), u = 1 / (s.whole + smooth);
    return {u, -u - i};
  }
};

struct Dice {
  static __device__ Sums sums(const Overlap& o) {
    return {o.intersection, o.prediction + o.target};
  }
  static __device__ double loss(const Sums& s, double smooth) {
    return 1 - (2 * s.intersection + smooth) / (s.whole + smooth);
  }
  static __device__ Slopes slopes(const Sums& s, double smooth) {
    const double d = s.whole + smooth;
    return {(2 * s.intersection + smooth) / (d * d), -2 / d};
  }
};

template <bool kAligned>
__global__ void __launch_bounds__(kRegionThreads)
    region_loss_forward_partial(const float* z, const float* t, Regions regions,
                                Overlap* partials) {
  auto& smem = gpu::shared<WarpValues<Overlap>>();
  Overlap total{};
  for_packs(regions, [&](std::int64_t first, int count) {
    const Pack<4> zs = load_pack<kAligned>(z + first, count);
    const Pack<4> ts = load_pack<kAligned>(t + first, count);
    float intersection = 0, prediction = 0, target = 0;
    for (int k = 0; k < 4; ++k) {
      const float p = k < count ? logistic(zs.at[k]) : 0.0f;
      intersection += p * ts.at[k];
      prediction += p;
      target += ts.at[k];
    }
    total += {intersection, prediction, target};
  });
  total = block_sum(total, smem);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

template <class Loss>
__global__ void __launch_bounds__(kRegionThreads)
    region_loss_forward_merge(const Overlap* partials, Regions regions, double smooth, Sums* sums,
                              float* loss) {
  auto& smem = gpu::shared<WarpValues<double>>();
  double total = 0;
  for (unsigned region = threadIdx.x / 32; region < regions.count; region += kRegionThreads / 32) {
    const Overlap overlap =
        warp_total(partials + std::int64_t{region} * regions.chunks, regions.chunks);
    if (threadIdx.x % 32 == 0) {
      sums[region] = Loss::sums(overlap);
      total += Loss::loss(Loss::sums(overlap), smooth);
    }
  }
  total = block_sum(total, smem);
  if (threadIdx.x == 0) *loss = static_cast<float>(total / regions.count);
}

template <class Loss>
__global__ void __launch_bounds__(32)
    region_loss_of_sums(const Sums* sums, std::int64_t regions, double smooth, float* loss) {
  double total = 0;
  for (std::int64_t region = threadIdx.x; region < regions; region += 32)
    total += Loss::loss(sums[region], smooth);
  total = warp_sum(total);
  if (threadIdx.x == 0) *loss = static_cast<float>(total / static_cast<double>(regions));
}

struct BackwardSmem {
  float constant, target;  // Slopes times dloss / regions
};

template <class Loss, bool kAligned>
__global__ void __launch_bounds__(kRegionThreads)
    region_loss_backward(const float* z, const float* t, const Sums* sums, const float* dloss,
                         Regions regions, double smooth, float* dz, bool accumulate) {
  auto& smem = gpu::shared<BackwardSmem>();
  if (threadIdx.x == 0) {
    const Slopes slopes = Loss::slopes(sums[blockIdx.x / regions.chunks], smooth);
    const double share = *dloss / static_cast<double>(regions.count);
    smem.constant = static_cast<float>(share * slopes.constant);
    smem.target = static_cast<float>(share * slopes.target);
  }
  // Thread 0 has written the region's slopes before anybody reads them.
  __syncthreads();
  const float a = smem.constant, b = smem.target;
  write_gradient<kAligned>(regions, z, t, dz, accumulate, [=](float z_, float t_) {
    // p (1 - p) = e / (1 + e)^2 with e = exp(-|z|): 1 - p would be 0 from z = 17 on.
    const float e = expf(-fabsf(z_));
    return e / ((1 + e) * (1 + e)) * fmaf(b, t_, a);
  });
}

template <class Loss, class Args>
void forward(KernelContext& context, const Args& a) {
  require_dense(kernel_name<Args>, a.logits, a.target);
  const auto *z = a.logits.template as<float>(), *t = a.target.template as<float>();
  const Regions regions = cut_regions(context, kernel_name<Args>, a.logits.shape, a.region, z, t);
  auto* partials = context.workspace.array<Overlap>(regions.blocks());
  const auto stream = static_cast<cudaStream_t>(context.stream);
  gpu::launch(
      regions.aligned ? region_loss_forward_partial<true> : region_loss_forward_partial<false>,
      {.grid = regions.blocks(),
       .block = kRegionThreads,
       .smem_bytes = sizeof(WarpValues<Overlap>),
       .stream = stream,
       .name = kernel_name<Args>},
      z, t, regions, partials);
  gpu::launch(region_loss_forward_merge<Loss>,
              {.grid = 1,
               .block = kRegionThreads,
               .smem_bytes = sizeof(WarpValues<double>),
               .stream = stream,
               .name = "region_loss_forward_merge"},
              partials, regions, a.smooth, reinterpret_cast<Sums*>(a.sums.template as<double>()),
              a.loss.template as<float>());
}

template <class Loss, class Args>
void of_sums(KernelContext& context, const Args& a) {
  gpu::launch(region_loss_of_sums<Loss>,
              {.grid = 1,
               .block = 32,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = kernel_name<Args>},
              reinterpret_cast<const Sums*>(a.sums.template as<double>()), a.sums.rows(), a.smooth,
              a.loss.template as<float>());
}

template <class Loss, class Args>
void backward(KernelContext& context, const Args& a) {
  require_dense(kernel_name<Args>, a.logits, a.target, a.dlogits);
  const auto *z = a.logits.template as<float>(), *t = a.target.template as<float>();
  auto* dz = a.dlogits.template as<float>();
  const Regions regions =
      cut_regions(context, kernel_name<Args>, a.logits.shape, a.region, z, t, dz);
  gpu::launch(
      regions.aligned ? region_loss_backward<Loss, true> : region_loss_backward<Loss, false>,
      {.grid = regions.blocks(),
       .block = kRegionThreads,
       .smem_bytes = sizeof(BackwardSmem),
       .stream = static_cast<cudaStream_t>(context.stream),
       .name = kernel_name<Args>},
      z, t, reinterpret_cast<const Sums*>(a.sums.template as<double>()),
      a.dloss.template as<float>(), regions, a.smooth, dz, a.write == Write::accumulate);
}

}  // namespace

void iou_loss_forward(KernelContext& context, const IouLossForward& a) {
  forward<Iou>(context, a);
}
void iou_loss_of_sums(KernelContext& context, const IouLossOfSums& a) {
  of_sums<Iou>(context, a);
}
void iou_loss_backward(KernelContext& context, const IouLossBackward& a) {
  backward<Iou>(context, a);
}
void dice_loss_forward(KernelContext& context, const DiceLossForward& a) {
  forward<Dice>(context, a);
}
void dice_loss_of_sums(KernelContext& context, const DiceLossOfSums& a) {
  of_sums<Dice>(context, a);
}
void dice_loss_backward(KernelContext& context, const DiceLossBackward& a) {
  backward<Dice>(context, a);
}

}  // namespace glia::GLIA_GPU
