// iou_loss.backward: a thread computes an element of dlogits. docs/ops/iou_loss.md
#include "kernels/api/plugin.h"
#include "kernels/cuda/gpu.h"

using namespace glia;

constexpr int kThreads = 128;

struct Loss {
  const float *dloss, *logits, *target;
  const double* sums;  // I and U of each region
  float* dlogits;
  std::int64_t count, region;  // elements in all, and in a region
  double smooth;
};

__global__ void naive_iou_backward(Loss a, bool add) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= a.count) return;
  const double* sums = a.sums + i / a.region * 2;
  const double I = sums[0] + a.smooth, U = sums[1] + a.smooth, t = a.target[i];
  const double p = 1 / (1 + exp(-double{a.logits[i]}));
  const double slope = p * (1 - p) * ((1 - t) / U - t / I);
  const double share = a.dloss[0] * slope / static_cast<double>(a.count / a.region);
  a.dlogits[i] = static_cast<float>(add ? a.dlogits[i] + share : share);
}

void iou_loss_backward(KernelContext& context, const IouLossBackward& a) {
  const std::int64_t count = a.dlogits.shape.numel();
  const std::int64_t regions = a.region == Region::image ? a.dlogits.shape[0] : 1;
  gpu::launch(naive_iou_backward,
              {.grid = static_cast<unsigned>((count + kThreads - 1) / kThreads),
               .block = kThreads,
               .stream = static_cast<cudaStream_t>(context.stream),
               .name = "naive_iou_backward"},
              Loss{a.dloss.as<float>(), a.logits.as<float>(), a.target.as<float>(),
                   a.sums.as<double>(), a.dlogits.as<float>(), count, count / regions, a.smooth},
              a.write == Write::accumulate);
}
