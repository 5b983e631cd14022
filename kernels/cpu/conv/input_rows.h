// The input rows that a tile of output rows reads. Usually they are packed into scratch memory,
// with a zero halo and a pixel pitch that is no multiple of a cache page: plain NHWC rows with 2^n
// channels map many pixels to one cache set, which can halve the speed of a convolution. Where no
// tap leaves the image they may be read in place. input_rows-inl.h packs.
#pragma once

#include <span>

#include "kernels/cpu/conv/tap_conv.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

class InputRows {
 public:
  /// Output (i, j) of a part reads in(i * step_h + dh, j * step_w + dw) for each of its taps.
  /// `may_stay`: that rows need not be packed where no tap leaves the image.
  InputRows(std::span<const TapPart> parts, const ConstView& in, std::int64_t step_h,
            std::int64_t step_w, bool may_stay);

  /// Output rows of the largest part.
  std::int64_t rows() const { return rows_; }
  bool in_place() const { return in_place_; }
  /// Floats between neighbouring pixels, of `channels` packed ones.
  std::int64_t pixel(std::int64_t channels) const {
    return in_place_ ? in_.pitch : packed_pixel(channels);
  }
  /// Floats of scratch memory for a tile of `rows` output rows.
  std::int64_t size(std::int64_t rows, std::int64_t channels) const {
    return in_place_ ? 0 : input_rows(rows) * width_ * pixel(channels) + 16;
  }
  /// Whether what one output row reads takes no more than half of an L2 cache, packed: sums must
  /// not depend on whether it is.
  bool fits(std::int64_t channels) const;
  /// Output rows a tile: as many as keep the packed rows in half of the L2 cache, but enough tiles
  /// to keep all threads busy.
  std::int64_t tile_rows(std::int64_t channels, std::int64_t images, int threads) const;
  /// Where tap `tap` of the output (i, j), i relative to the tile, lies in the rows.
  std::int64_t offset(const Tap& tap, std::int64_t i, std::int64_t j, std::int64_t pixel) const {
    return ((i * step_h_ + tap.dh - min_dh_) * width_ + j * step_w_ + tap.dw - min_dw_) * pixel;
  }

  /// Input rows of a tile of `rows` output rows, their pixels, and where the first of them lies in
  /// the image when the tile begins with output row i0: perhaps outside.
  std::int64_t input_rows(std::int64_t rows) const {
    return (rows - 1) * step_h_ + max_dh_ - min_dh_ + 1;
  }
  std::int64_t width() const { return width_; }
  std::int64_t first_row(std::int64_t i0) const { return i0 * step_h_ + min_dh_; }
  std::int64_t first_col() const { return min_dw_; }
  const ConstView& in() const { return in_; }

 private:
  static std::int64_t packed_pixel(std::int64_t channels) {
    return channels % 16 == 0 ? channels + (channels / 16 % 2 == 0 ? 16 : 0) : channels;
  }

  ConstView in_;
  std::int64_t step_h_, step_w_, rows_ = 0;
  std::int64_t min_dh_ = 0, max_dh_ = 0, min_dw_ = 0, max_dw_ = 0;
  std::int64_t width_ = 0, packed_width_ = 0;  // pixels a row
  bool in_place_ = false;
};

}  // namespace glia::cpu
