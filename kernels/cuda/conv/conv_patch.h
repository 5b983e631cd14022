// Patches of an image: neighbouring pixels, a chunk of channels of each, in shared memory: 64 of
// bf16 or 32 of float32, which are 128 bytes. Kernels for windows of 3x3 read them there once a
// tap, and from device memory once.
#pragma once

#include <type_traits>

#include "engine/base/divide.h"
#include "kernels/cuda/conv/conv_operands.h"
#include "kernels/cuda/map_pack.h"

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

  /// Of the chunk's channels.
  GLIA_INLINE void copy_part(typename Layout::Element* patch, int chunk, int part) const {
    const Gather<From>& g = gather_;
    const From* from = g.data + chunk * Layout::kChannels;
    each_of_part(part, static_cast<int>(threadIdx.x),
                 [&](int offset, int channel, int h, int w, bool inside) {
                   copy<kVec>(patch + offset,
                              ptx::advanced(from + channel, (n_ * g.height + h) * g.width + w,
                                            bytes_of<From>(g.pitch)),
                              inside);
                 });
  }

  /// What the map makes of the copies that this thread made of the part, once they have arrived;
  /// rounded as a tensor that it is written to. What lies outside the image stays 0.
  GLIA_INLINE void map_part(typename Layout::Element* patch, int chunk, int part,
                            const Strided<const float>& map) const {
    static_assert(std::is_same_v<From, typename Layout::Element>);
    static_assert(kThreads % kUnits == 0, "all copies of a thread are of the same channels");
    const int thread = ptx::thread_again();
    const MapPack<kVec> mapped(map, chunk * Layout::kChannels + thread % kUnits * kVec);
    each_of_part(part, thread, [&](int offset, int, int, int, bool inside) {
      if (!inside) return;
      Pack<kVec> value = read_pack<kVec>(patch + offset);
#pragma unroll
      for (int k = 0; k < kVec; ++k) value.at[k] = mapped.apply(k, value.at[k]);
      write_pack(patch + offset, value);
    });
  }

 private:
  static constexpr int kUnits = Layout::kChannels / kVec;  // copies a pixel
  static constexpr int kPart =
      (Layout::kPixels * kUnits + kParts * kThreads - 1) / (kParts * kThreads);  // of a thread

  /// Calls what(offset in the patch, channel, row and column of the image, whether they are inside)
  /// for each copy of this thread. Rolled, since addresses of many copies take registers that the
  /// sums need.
  template <class What>
  GLIA_INLINE void each_of_part(int part, int thread, const What& what) const {
#pragma unroll 1
    for (int i = part * kPart; i < (part + 1) * kPart; ++i) {
      const int unit = i * kThreads + thread;
      const int pixel = unit / kUnits, channel = unit % kUnits * kVec;
      if (pixel >= Layout::kPixels) break;
      const int row = pixel / Layout::kColumns, column = pixel % Layout::kColumns;
      const int h = h_ + row, w = w_ + column;
      const bool inside = (h >= 0) & (h < gather_.height) & (w >= 0) & (w < gather_.width);
      what(Layout::offset(row, column, channel), channel, h, w, inside);
    }
  }

  Gather<From> gather_;
  int n_, h_, w_;  // of the patch's first pixel, which may lie outside the image
};

}  // namespace glia::GLIA_GPU
