// How a convolution runs on a GPU: with which kernel, block tile and splits of its sums. Pure
// functions of the geometry and the device, tested without a GPU (tests/cuda/conv_choice_test.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/geometry.h"
#include "kernels/api/table.h"

namespace glia {

enum class ConvAlgorithm : std::uint8_t {
  automatic,  // what choose_algorithm says
  naive,      // a thread an element: kernels/cuda/conv/conv_naive.cu
  tiled,      // matrix products that gather their operands: kernels/cuda/conv/gemm_tile.h
  shuffled    // dgrad only: one product without gathering, its columns dealt out to windows
};

/// What tests and benchmarks impose on every GPU convolution to come, in place of the choices
/// below. One for the process; change it only while no kernel function runs.
struct ConvOverride {
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;
  int tile = -1;   // index into kGemmTiles; -1: chosen
  int splits = 0;  // of the sums; 0: chosen
};
ConvOverride& conv_override();

/// The kernel of a pass: `naive`, `tiled` or `shuffled`, never `automatic`. Obeys conv_override(),
/// but takes `tiled` where `shuffled` does not fit.
ConvAlgorithm choose_algorithm(ConvPass pass, const ConvGeometry& g);

/// The kernel's name for a call of conv2d or conv_transpose2d: "naive", "tiled" or "shuffled".
const char* conv_algorithm(const KernelContext& context, const KernelInfo& kernel,
                           const ConvGeometry& g);

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
  int tile = 0;    // index into kGemmTiles
  int splits = 1;  // parts of the sums, computed by different blocks and added in order
};

/// Tile and splits that take the fewest estimated cycles; of tiles that hardly differ, the widest.
/// Obeys conv_override(). Partial results stay under 128 MiB.
GemmChoice choose_gemm(const GemmShape& shape, int multiprocessors);

/// Whether the channels of every pixel can be read and written four at a time.
bool in_fours(const ConstView& view);

}  // namespace glia
