// Patches of an image: neighbouring pixels, a chunk of channels of each, in shared memory: 64 of
// bf16 or 32 of float32, which are 128 bytes. Kernels for windows of 3x3 read them there once a
// tap, and from device memory once.
#pragma once

#include "engine/base/divide.h"
#include "kernels/cuda/conv/conv_operands.h"

namespace glia::GLIA_GPU {

/// How a patch lies: [row][column][channel], kPitch columns a row, of which kColumns are used.
/// Where the 16-byte pieces of a pixel go depends on its column alone, since kPitch is a multiple
/// of eight: eight neighbours of any row, which ldmatrix reads at a time, find different banks.
template <class T, int kPatchRows, int kPatchColumns, int kPitch>
struct PatchLayout {
  using Element = T;
  static constexpr int kRows = kPatchRows, kColumns = kPatchColumns, kPixels = kRows * kColumns;
  static constexpr int kChannels = kMmaSlice<T>, kPiece = kPieceOf<T>;
  static constexpr int kRowPitch = kPitch * kChannels, kElements = kRows * kRowPitch;
  static_assert(kColumns <= kPitch && kPitch % 8 == 0);

  /// Where a channel of the pixel lies.
  GLIA_INLINE static int offset(int row, int column, int channel) {
    return row * kRowPitch + column * kChannels + ((channel / kPiece) ^ (column & 7)) * kPiece +
           channel % kPiece;
  }
};

/// Positions that a patch is for: of image n, from row i and column j of the grid on, `rows` times
/// kHaloColumns of them.
struct PatchPlace {
  int n, i, j;

  GLIA_INLINE PatchPlace(const Radix& patches, int rows, int patch)
      : PatchPlace(patches.digits(patch), rows) {}
  GLIA_INLINE PatchPlace(const Digits& at, int rows)
      : n(at.high), i(at.middle * rows), j(at.low * kHaloColumns) {}
};

/// How many such patches an image has: across and down.
template <class T>
Radix patches_of(const Gather<T>& g, int rows) {
  return {static_cast<int>(ceil_div(g.grid_columns, kHaloColumns)),
          static_cast<int>(ceil_div(g.grid_rows, rows))};
}

/// Copies a patch in kParts parts; what lies outside the image becomes 0.
template <class Layout, int kThreads, int kVec, int kParts, class From>
class PatchCopies {
 public:
  GLIA_INLINE PatchCopies(const Gather<From>& gather, const PatchPlace& place)
      : gather_(gather),
        n_(place.n),
        h_(place.i + gather.offset_h),
        w_(place.j + gather.offset_w) {}

  /// Of the chunk's channels. Rolled, since addresses of many copies take registers that the
  /// sums need.
  GLIA_INLINE void copy_part(typename Layout::Element* patch, int chunk, int part) const {
    const Gather<From>& g = gather_;
    const From* from = g.data + chunk * Layout::kChannels;
#pragma unroll 1
    for (int i = part * kPart; i < (part + 1) * kPart; ++i) {
      const int unit = i * kThreads + static_cast<int>(threadIdx.x);
      const int pixel = unit / kUnits, channel = unit % kUnits * kVec;
      if (pixel >= Layout::kPixels) break;
      const int row = pixel / Layout::kColumns, column = pixel % Layout::kColumns;
      const int h = h_ + row, w = w_ + column;
      const bool inside = (h >= 0) & (h < g.height) & (w >= 0) & (w < g.width);
      copy<kVec>(
          patch + Layout::offset(row, column, channel),
          ptx::advanced(from + channel, (n_ * g.height + h) * g.width + w, bytes_of<From>(g.pitch)),
          inside);
    }
  }

 private:
  static constexpr int kUnits = Layout::kChannels / kVec;  // copies a pixel
  static constexpr int kPart =
      (Layout::kPixels * kUnits + kParts * kThreads - 1) / (kParts * kThreads);  // of a thread
  Gather<From> gather_;
  int n_, h_, w_;  // of the patch's first pixel, which may lie outside the image
};

}  // namespace glia::GLIA_GPU
