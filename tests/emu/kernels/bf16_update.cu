// Sums in float that are stored once as bf16, by the packs of the element-wise kernels and the
// optimizers.
#include "kernels/cuda/pack.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

constexpr int kThreads = 64, kPack = gpu::kPackOf<Bf16>;

__global__ void __launch_bounds__(kThreads)
    bf16_update_packs(const Bf16* a, const Bf16* b, float* w, Bf16* shadow, Bf16* y, int n,
                      Bug bug) {
  const int first = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * kPack;
  if (first >= n) return;
  const auto as = gpu::read_pack<kPack>(a + first), bs = gpu::read_pack<kPack>(b + first);
  auto ws = gpu::read_pack<kPack>(w + first), ys = gpu::read_pack<kPack>(y + first);
  for (int k = 0; k < kPack; ++k) {
    float product = as.at[k] * bs.at[k];
    if (bug == Bug::rounded_before_sum) product = to_float(to_bf16(product));
    ws.at[k] += product;
    ys.at[k] += product;
  }
  gpu::write_pack(w + first, ws);
  gpu::write_pack(y + first, ys);
  if (bug == Bug::shadow_not_written && first + kPack >= n) return;
  gpu::write_pack(shadow + first, ws);
}

}  // namespace

void bf16_update(const Bf16* a, const Bf16* b, float* w, Bf16* shadow, Bf16* y, int n, Bug bug) {
  constexpr int kBlock = kThreads * kPack;
  gpu::launch(bf16_update_packs,
              {.grid = static_cast<unsigned>((n + kBlock - 1) / kBlock),
               .block = kThreads,
               .name = "bf16_update"},
              a, b, w, shadow, y, n, bug);
}

}  // namespace glia::emu_test
