#include "kernels/cpu/conv/winograd_tiles.h"

namespace glia::cpu {

namespace {

// Pixels and products of so many tiles stay in an L2 cache of 1 MiB up to some 80 channels; beyond,
// more tiles at a time win nothing and fewer read the weights too often. Three times the rows that
// wide registers multiply at once.
constexpr std::int64_t kTaskTiles = 36;
// Backward-weights loads and stores its sums once a batch, and so takes more.
constexpr std::int64_t kBatch = 48;

}  // namespace

std::int64_t tiles_per_task(std::int64_t tiles) {
  return std::min(kTaskTiles, round_up(ceil_div(tiles, 16), 6));
}

bool takes_outputs(std::int64_t depth, std::int64_t outputs, std::int64_t tiles) {
  // All tiles' transforms have to stay in the L3 cache, where each block of outputs reads them
  // again.
  return depth * outputs >= 128 * 128 && tiles <= 192;
}

WgradPlan plan_wgrad(const ConvGeometry& g) {
  const std::int64_t tiles = WinogradTiles(g.N, g.P, g.Q).count;
  const std::int64_t sums = g.C * g.K, channels = g.C + g.K;  // of a frequency, of a tile
  constexpr std::int64_t kMiB = (std::int64_t{1} << 20) / (4 * kFrequencies);
  if (tiles == 0) return {.scheme = WgradPlan::Scheme::blocks, .shares = 1, .batch = 0};
  if (sums >= 128 * 128) {
    // More tiles at a time would leave the caches before they are multiplied; with fewer, the sums
    // are loaded and stored too often.
    constexpr std::int64_t kLimit = 12 * kMiB;
    const std::int64_t batch = std::max(kLimit / channels / kBatch * kBatch, kBatch);
    if (tiles * channels <= sums + kLimit)
      return {.scheme = WgradPlan::Scheme::blocks, .shares = 1, .batch = tiles};
    return {.scheme = WgradPlan::Scheme::frequencies, .shares = 1, .batch = std::min(batch, tiles)};
  }
  const std::int64_t shares = std::clamp<std::int64_t>(16 * kMiB / sums, 4, 16);
  return {.scheme = WgradPlan::Scheme::shares,
          .shares = std::min(shares, ceil_div(tiles, kBatch)),
          .batch = kBatch};
}

}  // namespace glia::cpu
