#include "kernels/cpu/winograd_tiles.h"

namespace glia::cpu {

namespace {

// Pixels and products of so many tiles stay in an L2 cache of 1 MiB up to some 64 channels; beyond,
// more tiles at a time win nothing and fewer read the weights too often.
constexpr std::int64_t kBatch = 48;

}  // namespace

std::int64_t tiles_per_task(std::int64_t tiles) {
  return std::min(kBatch, round_up(ceil_div(tiles, 16), 6));
}

bool takes_outputs(std::int64_t depth, std::int64_t outputs, std::int64_t tiles) {
  // All tiles' transforms have to stay in the L3 cache, where each block of outputs reads them
  // again.
  return depth * outputs >= 128 * 128 && tiles <= 192;
}

WgradPlan plan_wgrad(const ConvGeometry& g) {
  const std::int64_t tiles = WinogradTiles(g.N, g.P, g.Q).count;
  const std::int64_t sums = g.C * g.K;
  if (sums >= 128 * 128 && tiles <= 512) return {.shares = 0, .batch = 0};
  constexpr std::int64_t kSumsOfAllShares = (std::int64_t{16} << 20) / (4 * kFrequencies);
  const std::int64_t shares = std::clamp<std::int64_t>(kSumsOfAllShares / sums, 4, 16);
  return {.shares = std::min(shares, ceil_div(tiles, kBatch)), .batch = kBatch};
}

}  // namespace glia::cpu
