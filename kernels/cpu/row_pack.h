// Copies the input rows that a tile of output rows reads into scratch memory, with a zero halo and
// a pixel pitch that is no multiple of a cache page: plain NHWC rows with 2^n channels map many
// pixels to one cache set, which can halve the speed of a convolution.
#pragma once

#include <span>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/tap_conv.h"

namespace glia::cpu {

class RowPack {
 public:
  /// Output (i, j) reads in(i * step_h + dh, j * step_w + dw) for every tap; j runs to `cols`.
  RowPack(std::span<const Tap> taps, const ConstView& in, std::int64_t step_h, std::int64_t step_w,
          std::int64_t cols);

  /// Floats between neighbouring packed pixels of `channels` channels.
  static std::int64_t pixel_pitch(std::int64_t channels) {
    return channels % 16 == 0 ? channels + (channels / 16 % 2 == 0 ? 16 : 0) : channels;
  }
  /// Floats of scratch memory for a tile of `rows` output rows.
  std::int64_t size(std::int64_t rows, std::int64_t channels) const {
    return packed_rows(rows) * width_ * pixel_pitch(channels) + 16;
  }
  /// Output rows a tile: as many as keep the packed rows in half of the L2 cache, but enough tiles
  /// to keep all threads busy.
  std::int64_t tile_rows(std::int64_t channels, std::int64_t rows, std::int64_t images,
                         int threads) const;
  /// Packs what output rows [i0, i0 + rows) of image n read of channels [c0, c0 + channels).
  void pack(std::int64_t n, std::int64_t i0, std::int64_t rows, std::int64_t c0,
            std::int64_t channels, float* packed) const;
  /// Where tap `tap` of the output (i, j), i relative to the tile, lies in the packed rows.
  std::int64_t offset(const Tap& tap, std::int64_t i, std::int64_t j, std::int64_t pixel) const {
    return ((i * step_h_ + tap.dh - min_dh_) * width_ + j * step_w_ + tap.dw - min_dw_) * pixel;
  }

 private:
  std::int64_t packed_rows(std::int64_t rows) const {
    return (rows - 1) * step_h_ + max_dh_ - min_dh_ + 1;
  }

  ConstView in_;
  std::int64_t step_h_, step_w_;
  std::int64_t min_dh_ = 0, max_dh_ = 0, min_dw_ = 0, max_dw_ = 0;
  std::int64_t width_ = 0;  // packed pixels a row
};

}  // namespace glia::cpu
