#include "kernels/cpu/winograd_tiles.h"

namespace glia::cpu {

std::int64_t tiles_per_task(std::int64_t depth, std::int64_t tiles, int threads) {
  // Few enough that pixels and products stay in an L2 cache of 1 MiB; with many channels they do
  // not in any case, and then more tiles mean that the weights are read less often.
  const std::int64_t most = depth <= 64 ? 24 : depth <= 128 ? 36 : 72;
  return std::min(most, round_up(ceil_div(tiles, threads), 6));
}

WgradPlan plan_wgrad(const ConvGeometry& g) {
  const std::int64_t tiles = WinogradTiles(g.N, g.P, g.Q).count;
  const std::int64_t sums = g.C * g.K;
  if (sums >= 128 * 128 && tiles <= 512) return {.shares = 0, .batch = 0};
  constexpr std::int64_t kSumsOfAllShares = (std::int64_t{16} << 20) / (4 * kFrequencies);
  const std::int64_t batch = sums <= 64 * 64 ? 24 : 48;
  const std::int64_t shares = std::clamp<std::int64_t>(kSumsOfAllShares / sums, 4, 16);
  return {.shares = std::min(shares, ceil_div(tiles, batch)), .batch = batch};
}

}  // namespace glia::cpu
