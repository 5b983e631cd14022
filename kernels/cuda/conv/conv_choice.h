// How a convolution runs on a GPU: with which kernel, block tile and splits of its sums. Pure
// functions of the geometry and the device, tested without a GPU (tests/cuda/conv_choice_test.cpp).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/geometry.h"
#include "kernels/api/context.h"
#include "kernels/api/table.h"

namespace glia {

/// Taps along either side of a window for which the tables of conv_operands.h have bits.
inline constexpr int kMaxTaps = 16;

/// Whether tensor cores compute this convolution in tf32 (in bf16 they compute all): where both
/// channel counts are multiples of four, for copies of 16 bytes, and at least eight, a fragment's
/// width. Others, such as a network's first layer and its head, are bound by their bytes and stay
/// in fp32.
bool suits_tensor_cores(const ConvGeometry& g);

/// The kernel of a pass, never `automatic`: `naive` for windows of more than kMaxTaps. Obeys the
/// context's gpu_conv.
ConvAlgorithm choose_algorithm(const KernelContext& context, ConvPass pass, const ConvGeometry& g);

/// Whether that kernel reads x through a map (kernels/api/read_map.h): those by patches, but not
/// that of at most kShallowChannels.
bool reads_map(const KernelContext& context, ConvPass pass, const ConvGeometry& g);

bool is_shuffled(ConvAlgorithm algorithm);
bool is_on_tensor_cores(ConvAlgorithm algorithm);

/// Which pass of a convolution a call of conv2d or conv_transpose2d is: a transposed convolution's
/// backward-data is a forward pass, and the other way round.
ConvPass pass_of(std::string_view op, Phase phase);

/// The kernel's name for a call of conv2d or conv_transpose2d: "naive", "tiled", "shuffled",
/// "mma-tf32", "shuffled-mma-tf32", "mma-bf16", "shuffled-mma-bf16", "halo-tf32"
/// or "halo-bf16".
const char* conv_algorithm(const KernelContext& context, const KernelInfo& kernel,
                           const ConvGeometry& g);

/// The same of a call of conv2d; not of conv_transpose2d.
bool conv_reads_map(const KernelContext& context, const KernelInfo& kernel, const ConvGeometry& g);

/// Whether windows cover the input without overlap, gap or padding: each input pixel then belongs
/// to one output pixel, as in a transposed convolution 2x2 with stride 2.
bool windows_tile_input(const ConvGeometry& g);

/// Pixels of dx that meet the same window positions: every stride-th one, from (first_h, first_w).
/// Pixel (first_h + i * stride_h, ...) is the sum, over taps t < taps_h, of dy's row
/// i + offset_h + t times w's row last_r - t * stride_h, and likewise along the width. No taps:
/// such pixels lie in no window.
struct DgradPart {
  std::int64_t first_h = 0, first_w = 0, rows = 0, columns = 0;
  std::int64_t taps_h = 0, taps_w = 0, last_r = 0, last_s = 0, offset_h = 0, offset_w = 0;
};

/// Every pixel of dx in one part; empty when dx is.
std::vector<DgradPart> dgrad_parts(const ConvGeometry& g);

/// A matrix product [rows, depth] x [depth, columns].
struct GemmShape {
  std::int64_t rows = 0, columns = 0, depth = 0;
};

/// Those of the passes (conv_products.h): rows are output pixels; those of a part of dx; output
/// pixels, whose columns are dealt out to windows; output channels.
GemmShape forward_shape(const ConvGeometry& g);
GemmShape dgrad_shape(const ConvGeometry& g, const DgradPart& part);
GemmShape shuffled_shape(const ConvGeometry& g);
GemmShape wgrad_shape(const ConvGeometry& g);

/// What a block computes. `resident` blocks share a multiprocessor, if registers allow: the kernels
/// are compiled for that.
struct GemmTile {
  int rows, columns, resident;
  constexpr int threads() const { return rows / 64 * (columns / 32) * 32; }
};
inline constexpr GemmTile kGemmTiles[] = {{128, 64, 3}, {128, 32, 6}, {64, 32, 8}};
inline constexpr int kGemmTileCount = 3;

/// Depth of the slices in which a block walks along the sums.
inline constexpr int kGemmSlice = 16;

struct GemmChoice {
  int tile = 0;       // index into kGemmTiles or kMmaTiles
  int splits = 1;     // parts of the sums, computed by different blocks and added in order
  double cycles = 0;  // that the model behind the choice expects, on the whole GPU
};

/// Tile and splits that take the fewest estimated cycles on the context's multiprocessors; of tiles
/// that hardly differ, the widest. Obeys its gpu_conv. Partial results stay under 128 MiB.
GemmChoice choose_gemm(const KernelContext& context, const GemmShape& shape);

/// What a block computes on tensor cores, `warp_rows` x `warp_columns` a warp, with a ring of so
/// many stages; `resident` as above; and how many other instructions its loops issue an mma in tf32
/// and in bf16, as tools/check-sass counts them.
struct MmaTile {
  int rows, columns, warp_rows, warp_columns, stages, resident;
  double others, others_bf16;
  constexpr int warps() const { return rows / warp_rows * (columns / warp_columns); }
  constexpr int threads() const { return warps() * 32; }
};
inline constexpr MmaTile kMmaTiles[] = {
    {128, 128, 64, 64, 3, 2, 4.1, 1.8}, {256, 64, 64, 64, 2, 2, 4.4, 2.1},
    {64, 256, 64, 64, 2, 2, 4.4, 2.2},  // wgrad of few outputs
    {128, 64, 64, 32, 3, 3, 6.6, 3},    {64, 32, 32, 32, 3, 5, 12, 6},
    {64, 576, 64, 48, 2, 1, 2.1, 2.1}};  // kHaloWgradTile
/// Those that choose_mma chooses from.
inline constexpr int kMmaTileCount = 5;

/// Depth of the slices there: 32 float32 or 64 bf16.
inline constexpr int kMmaSliceBytes = 128;

/// As choose_gemm, from kMmaTiles, in the context's precision; the last of them unless operands can
/// be read in `pieces` of 16 bytes.
GemmChoice choose_mma(const KernelContext& context, const GemmShape& shape, bool pieces);

/// Positions that a block of conv_halo.h computes, which stand for the rows of its tile, and the
/// taps along either side of its windows.
inline constexpr int kHaloRows = 8, kHaloColumns = 16, kHaloTaps = 3;
/// Its tiles, as indices into kMmaTiles; what is copied element by element takes the second.
inline constexpr int kHaloTiles[] = {0, 3};
/// How many other instructions their loops issue an mma in tf32 and in bf16: as tools/check-sass
/// counts them, and about 0.3 more, since it counts the loop that copies a patch once.
inline constexpr double kHaloOthers[][2] = {{2.8, 1.4}, {4.0, 2.3}};

/// The tile of conv_wgrad_halo.h, as an index into kMmaTiles: its columns are nine taps of 64
/// channels. And the rows of its patches, of kHaloColumns positions.
inline constexpr int kHaloWgradTile = 5, kWgradPatchRows = 15;

/// Shared memory of a block in conv_halo.h and in conv_wgrad_halo.h, where a patch has rows of
/// kPatchPitch pixels. GPUs have 99 to 227 KiB for a block.
inline constexpr int kPatchPitch = 24;
constexpr std::int64_t halo_bytes(const MmaTile& tile) {
  return kMmaSliceBytes *
         (2 * (kHaloRows + kHaloTaps - 1) * kPatchPitch + kHaloTaps * std::int64_t{tile.columns});
}
constexpr std::int64_t wgrad_halo_bytes() {
  return 2 * kMmaSliceBytes *
         ((kWgradPatchRows + kHaloTaps - 1) * kPatchPitch + kWgradPatchRows * kHaloColumns);
}

/// Channels that conv_shallow.h computes at most, in the second of kHaloTiles.
inline constexpr int kShallowChannels = 8;

/// Whether conv_halo.h computes the pass in bf16 or tf32: windows of 3x3 with stride 1, and whole
/// slices of channels to sum over; or, in bf16 alone, for wgrad conv_wgrad_halo.h, whole slices of
/// both operands, or for forward conv_shallow.h, at most kShallowChannels.
bool fits_halo(ConvPrecision precision, ConvPass pass, const ConvGeometry& g);

/// Its product: with rows as many as its blocks have positions, and the depth of one tap; of wgrad,
/// with a depth of as many positions as its patches have.
GemmShape halo_shape(const ConvGeometry& g, ConvPass pass);

/// As choose_mma, of the tiles for which a block has enough shared memory.
GemmChoice choose_halo(const KernelContext& context, ConvPass pass, const GemmShape& shape,
                       bool pieces);

/// How a pass would be computed and how long, by the models behind the choices: for operands that
/// can be read 16 bytes at a time, as far as their channels allow. Cycles are those of all its
/// products, tile and splits of the last; none of them for the naive kernel.
struct ConvForecast {
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;
  int rows = 0, columns = 0, splits = 0;
  std::int64_t blocks = 0;
  double cycles = 0;
};
ConvForecast forecast(const KernelContext& context, ConvPass pass, const ConvGeometry& g);

/// Whether the channels of every pixel can be read and written 16 bytes at a time.
bool in_pieces(const ConstView& view);

}  // namespace glia
