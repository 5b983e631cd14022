// What Winograd's kernels share: transforms of squares of pixels, a cache line of channels at a
// time, and where transformed tiles lie. Included once an instruction set (Highway's
// foreach_target). Derivation: docs/ops/conv2d.md.
#if defined(GLIA_KERNELS_CPU_CONV_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CONV_WINOGRAD_INL_H_
#undef GLIA_KERNELS_CPU_CONV_WINOGRAD_INL_H_
#else
#define GLIA_KERNELS_CPU_CONV_WINOGRAD_INL_H_
#endif

#include "kernels/cpu/conv/gemm-inl.h"
#include "kernels/cpu/conv/winograd_matrices-inl.h"
#include "kernels/cpu/conv/winograd_tiles.h"
#include "kernels/cpu/read-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// Matrix * X * Matrix^T for a line of channels. `load(i, j, v)` gives vector v of element (i, j)
/// of X, `store(i, j, v, x)` takes one of the result.
template <class Matrix, class Load, class Store>
HWY_INLINE void transform(const Load& load, const Store& store) {
  const Floats d;
  HWY_ALIGN float half[Matrix::kOut][Matrix::kIn][kLine];
  // The outer loops stay loops: unrolled, they need more addresses than there are registers.
#pragma GCC unroll 1
  for (int j = 0; j < Matrix::kIn; ++j)
#pragma GCC unroll 4
    for (int v = 0; v < kLineVectors; ++v) {
      FloatVec in[Matrix::kIn], out[Matrix::kOut];
#pragma GCC unroll 8
      for (int i = 0; i < Matrix::kIn; ++i) in[i] = load(i, j, v);
      Matrix::apply(in, out);
#pragma GCC unroll 8
      for (int i = 0; i < Matrix::kOut; ++i) hn::Store(out[i], d, half[i][j] + v * kLanes);
    }
#pragma GCC unroll 1
  for (int i = 0; i < Matrix::kOut; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kLineVectors; ++v) {
      FloatVec in[Matrix::kIn], out[Matrix::kOut];
#pragma GCC unroll 8
      for (int j = 0; j < Matrix::kIn; ++j) in[j] = hn::Load(d, half[i][j] + v * kLanes);
      Matrix::apply(in, out);
#pragma GCC unroll 8
      for (int j = 0; j < Matrix::kOut; ++j) store(i, j, v, out[j]);
    }
}

/// A square of pixels of an image, of which some may lie outside.
template <class Image>
struct Square {
  Image image;
  std::int64_t origin, row_step;  // element of its first pixel, which may lie outside
  unsigned rows, cols;            // bit i: whether row or column i lies inside
  bool inside;                    // all of it

  Square(const Image& of, std::int64_t n, std::int64_t h, std::int64_t w, int side) : image(of) {
    const std::int64_t height = image.shape[1], width = image.shape[2];
    row_step = width * image.pitch;
    origin = ((n * height + h) * width + w) * image.pitch;
    rows = inside_bits(h, height, side);
    cols = inside_bits(w, width, side);
    inside = (rows & cols) == (1u << side) - 1;
  }
  bool has(int i, int j) const { return (rows >> i & cols >> j & 1) != 0; }
  /// Channel c of pixel (i, j), which must lie inside.
  auto at(int i, int j, std::int64_t c) const {
    return image.template as<float>() + origin + i * row_step + j * image.pitch + c;
  }

 private:
  static unsigned inside_bits(std::int64_t first, std::int64_t extent, int side) {
    unsigned bits = 0;
    for (int i = 0; i < side; ++i)
      bits |= static_cast<unsigned>(first + i >= 0 && first + i < extent) << i;
    return bits;
  }
};

/// Transformed tiles, their channels in blocks: value f of channel c of tile t lies at
/// at(t, c)[f * frequency_step].
struct Panels {
  float* data;
  std::int64_t block;  // channels, a multiple of kLine
  std::int64_t pitch, frequency_step;

  Panels(float* memory, std::int64_t tiles, std::int64_t block_, std::int64_t pitch_)
      : data(memory),
        block(block_),
        pitch(pitch_),
        frequency_step(frequency_step_of(tiles, pitch_)) {}
  static std::int64_t size(std::int64_t channels, std::int64_t tiles, std::int64_t block,
                           std::int64_t pitch) {
    return ceil_div(channels, block) * kFrequencies * frequency_step_of(tiles, pitch);
  }
  float* at(std::int64_t tile, std::int64_t c) const {
    return data + c / block * kFrequencies * frequency_step + tile * pitch + c % block;
  }
};

/// A square of pixels, side Matrix::kIn, transformed into tile `tile` of the panels. Whole lines
/// are written, zeros after the last channel.
template <class Matrix, bool mapped>
HWY_INLINE void transform_pixels(const Square<ConstView>& square, const MapRows& map,
                                 const Panels& panels, std::int64_t tile) {
  const Floats d;
  const std::int64_t channels = square.image.channels();
  // The tile to the right comes next. Its pixels are on their way meanwhile: the six short rows of
  // a tile are too short for the processor's own prefetching.
  const std::int64_t next = 4 * square.image.pitch;
  for (std::int64_t c = 0; c < channels; c += kLine) {
    float* to = panels.at(tile, c);
    const auto store =
        [to, step = panels.frequency_step](int i, int j, int v, FloatVec x)
            HWY_ATTR { hn::Store(x, Floats(), to + (i * 6 + j) * step + v * kLanes); };
    const std::int64_t rest = channels - c;
    const auto read = [&](int i, int j, int v) HWY_ATTR {
      const FloatVec x = hn::LoadU(d, square.at(i, j, c) + v * kLanes);
      return mapped ? map.apply(d, x, c + v * kLanes) : x;
    };
    if (square.inside && rest >= kLine) {
      transform<Matrix>(
          [&](int i, int j, int v) HWY_ATTR {
            if (v == 0) prefetch_to_l2(square.at(i, j, c) + next);
            return read(i, j, v);
          },
          store);
      continue;
    }
    if (rest >= kLine) {
      transform<Matrix>([&](int i, int j, int v)
                            HWY_ATTR { return square.has(i, j) ? read(i, j, v) : hn::Zero(d); },
                        store);
      continue;
    }
    transform<Matrix>(
        [&](int i, int j, int v) HWY_ATTR {
          const std::int64_t here = rest - v * kLanes;
          if (!square.has(i, j) || here <= 0) return hn::Zero(d);
          const FloatVec x = load_some(d, square.at(i, j, c) + v * kLanes, here);
          return mapped ? map.apply_some(d, x, c + v * kLanes, here) : x;
        },
        store);
  }
}

template <class Matrix>
void transform_square(const Square<ConstView>& square, const MapRows& map, const Panels& panels,
                      std::int64_t tile) {
  if (map)
    transform_pixels<Matrix, true>(square, map, panels, tile);
  else
    transform_pixels<Matrix, false>(square, map, panels, tile);
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
