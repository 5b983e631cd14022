// How Winograd's kernels cut images into tiles of 4x4 pixels, and how many of them they take at a
// time. Functions of the geometry alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/divide.h"
#include "engine/base/geometry.h"

namespace glia::cpu {

inline constexpr std::int64_t kFrequencies = 36;

/// Tiles that cover all images, numbered along the rows of one image after the other.
struct WinogradTiles {
  std::int64_t rows, cols, count;

  WinogradTiles(std::int64_t images, std::int64_t height, std::int64_t width)
      : rows(ceil_div(height, 4)), cols(ceil_div(width, 4)), count(images * rows * cols) {}

  std::int64_t image(std::int64_t tile) const { return tile / (rows * cols); }
  std::int64_t first_row(std::int64_t tile) const { return tile / cols % rows * 4; }
  std::int64_t first_col(std::int64_t tile) const { return tile % cols * 4; }
};

/// Floats between the 36 frequencies of a buffer of `count` rows. The 64 bytes after them keep the
/// frequencies of a tile out of each other's cache sets, where steps of 4 KiB would put them.
inline std::int64_t frequency_step_of(std::int64_t count, std::int64_t pitch) {
  return round_up(count * pitch, 1024) + 16;
}

/// Floats between the rows of a buffer, for the same reason.
inline std::int64_t padded_pitch(std::int64_t channels) {
  const std::int64_t whole = round_up(channels, 16);
  return whole % 64 == 0 ? whole + 16 : whole;
}

/// Tiles that a task of the forward pass or dgrad takes at a time; moments are sums over such
/// batches.
std::int64_t tiles_per_task(std::int64_t tiles);

/// Whether a task of the forward pass or dgrad is a block of outputs and all tiles; otherwise it is
/// a batch of tiles and all outputs.
bool takes_outputs(std::int64_t depth, std::int64_t outputs, std::int64_t tiles);

/// How backward-weights divides its sums.
struct WgradPlan {
  enum class Scheme : std::uint8_t { shares, frequencies, blocks } scheme;
  std::int64_t shares;  // of the tiles
  std::int64_t batch;   // tiles that are transformed at a time
};
WgradPlan plan_wgrad(const ConvGeometry& g);

}  // namespace glia::cpu
