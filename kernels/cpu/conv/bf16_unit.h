// What the bf16 convolutions are made of: packing that rounds to bf16, and one product of tiles. A
// unit is these for one instruction set. All units share the layouts, so a convolution does not
// know which one computes it. docs/ops/conv2d.md says how operands are laid out and why.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/api/context.h"
#include "kernels/api/view.h"
#include "kernels/cpu/conv/bf16_round.h"

namespace glia::cpu {

/// A tile of the left operand is 16 rows of 32 numbers, one of the right 16 pairs of rows of 16
/// columns, [pair][column][2]; their product 16 x 16 sums.
inline constexpr std::int64_t kTileRows = 16, kTileDepth = 32, kTileSize = 512;
/// Sums that are formed together: 2 x 2 tiles, [32][32].
inline constexpr std::int64_t kTileBlock = 32, kTileSums = 1024;

/// sums[i][j] (+)= sum over runs and d of a[i][run + d] * b[run][d][j], for a_tiles x b_tiles
/// tiles.
struct Bf16Product {
  const Bf16* a[2];  // where the rows of both left tiles begin
  std::int64_t a_row;
  const std::int64_t* runs;           // what to add to `a`
  std::int64_t run_count, run_steps;  // a step is 32 deep
  const Bf16* b;                      // the tiles of the first step
  std::int64_t b_step, b_tile;        // to the next step, to the tile of columns 16...
  int a_tiles, b_tiles;
  float* sums;  // [32][32]
  bool accumulate;
};

/// Channels through a map (kernels/api/read_map.h); null: as they are.
struct Bf16Map {
  const float *scale = nullptr, *shift = nullptr, *floor = nullptr;

  static Bf16Map of(const ConstView& map) {
    if (!map) return {};
    const auto* rows = map.as<float>();
    return {rows, rows + map.pitch, rows + 2 * map.pitch};
  }
};

/// Pixels of a row: channels [0, channels) rounded, zeros up to `padded`.
struct Bf16Pixels {
  const float* from;
  std::int64_t pitch, pixels, channels;
  Bf16Map map;
  Bf16* to;
  std::int64_t pixel, padded;
};

/// The weights of one tap for a block of 32 outputs, where `depth` weights of an output follow one
/// another from place `first` of a run on: to[place / 32][output / 16][place % 32 / 2][output %
/// 16][place % 2]. What is not written stays.
struct Bf16Weights {
  const float* from;
  std::int64_t depth, outputs, depth_stride, output_stride;
  Bf16* to;
  std::int64_t first;
};

/// Pixels of a row, transposed: to[channel * plane + pixel].
struct Bf16Columns {
  const float* from;
  std::int64_t pitch, pixels, channels;
  Bf16Map map;
  Bf16* to;
  std::int64_t plane;
};

/// Pixels of a row in pairs: to[channel / 16 * block + pixel / 2 * 32 + channel % 16 * 2 + pixel %
/// 2]; zeros for further pixels up to `padded` and in the last 16 channels.
struct Bf16Pairs {
  const float* from;
  std::int64_t pitch, pixels, channels;
  Bf16Map map;
  Bf16* to;
  std::int64_t block, padded;
};

/// Sums of a block on their way to the result: out[pixel][output] (+)= sums + bias.
struct Bf16Results {
  const float* sums;  // [pixels][32]
  std::int64_t pixels, outputs;
  const float* bias;  // [32]
  float* out;
  std::int64_t out_step;
  bool accumulate, stream;
  float* moments;  // rows of a shift, sums of deviations from it and of their squares; or null
  std::int64_t moments_step;
  bool fresh;  // these are the first pixels of the moments
};

struct Bf16Unit {
  const char* name;
  /// What a thread does before and after its products.
  void (*begin)();
  void (*end)();
  void (*multiply)(const Bf16Product&);
  void (*pack_pixels)(const Bf16Pixels&);
  void (*pack_weights)(const Bf16Weights&);
  void (*pack_columns)(const Bf16Columns&);
  void (*pack_pairs)(const Bf16Pairs&);
  void (*write)(const Bf16Results&);
};

/// One of each instruction set; null where this machine or build has it not. The portable one is
/// always there, for tests: it is slower than fp32.
const Bf16Unit* bf16_amx();
const Bf16Unit* bf16_avx512();
const Bf16Unit* bf16_portable();

/// The unit that computes when `choice` is asked for: `automatic` is AMX, else AVX512-BF16. Null
/// where there is none.
const Bf16Unit* find_bf16_unit(Bf16Choice choice);
/// The same; throws `Error` where there is none.
const Bf16Unit& bf16_unit(Bf16Choice choice);

}  // namespace glia::cpu
