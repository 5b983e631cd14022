// The transforms of Winograd's F(4x4,3x3), a vector of channels at a time. Included once an
// instruction set (Highway's foreach_target). Derivation: docs/ops/conv2d.md.
//
// Polynomials are evaluated at 0, +-2/3, +-3/2 and infinity. As 2/3 * 3/2 = 1, values and
// coefficients stay near 1, which loses about half as much precision as the usual 0, +-1, +-2.
#if defined(GLIA_KERNELS_CPU_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_WINOGRAD_INL_H_
#undef GLIA_KERNELS_CPU_WINOGRAD_INL_H_
#else
#define GLIA_KERNELS_CPU_WINOGRAD_INL_H_
#endif

#include "kernels/cpu/gemm-inl.h"
#include "kernels/cpu/winograd_tiles.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

constexpr float kA = 2.0f / 3, kB = 3.0f / 2;
constexpr float kA2 = kA * kA, kB2 = kB * kB;
// What the usual G divides by: the product of a point's distances to the others.
constexpr float kOverNA = 1 / (2 * kA2 * (kA2 - kB2)), kOverNB = 1 / (2 * kB2 * (kB2 - kA2));

HWY_INLINE FloatVec constant(float value) {
  return hn::Set(Floats(), value);
}

/// One of the four small matrices, applied to a column of vectors.
struct InputMatrix {  // B^T: six pixels to six values
  static constexpr int kIn = 6, kOut = 6;
  static HWY_INLINE void apply(const FloatVec* x, FloatVec* y) {
    const FloatVec sum = constant(kA2 + kB2);
    y[0] = hn::NegMulAdd(sum, x[2], hn::Add(x[0], x[4]));
    const FloatVec even_a = hn::NegMulAdd(constant(kB2), x[2], x[4]);
    const FloatVec odd_a = hn::NegMulAdd(constant(kB2), x[1], x[3]);
    y[1] = hn::MulAdd(constant(kA), odd_a, even_a);
    y[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
    const FloatVec even_b = hn::NegMulAdd(constant(kA2), x[2], x[4]);
    const FloatVec odd_b = hn::NegMulAdd(constant(kA2), x[1], x[3]);
    y[3] = hn::MulAdd(constant(kB), odd_b, even_b);
    y[4] = hn::NegMulAdd(constant(kB), odd_b, even_b);
    y[5] = hn::NegMulAdd(sum, x[3], hn::Add(x[1], x[5]));
  }
};

struct WeightMatrix {  // G: three weights to six values
  static constexpr int kIn = 3, kOut = 6;
  static HWY_INLINE void apply(const FloatVec* w, FloatVec* y) {
    y[0] = w[0];
    const FloatVec even_a = hn::Mul(constant(kOverNA), hn::MulAdd(constant(kA2), w[2], w[0]));
    const FloatVec odd_a = constant(kOverNA * kA);
    y[1] = hn::MulAdd(odd_a, w[1], even_a);
    y[2] = hn::NegMulAdd(odd_a, w[1], even_a);
    const FloatVec even_b = hn::Mul(constant(kOverNB), hn::MulAdd(constant(kB2), w[2], w[0]));
    const FloatVec odd_b = constant(kOverNB * kB);
    y[3] = hn::MulAdd(odd_b, w[1], even_b);
    y[4] = hn::NegMulAdd(odd_b, w[1], even_b);
    y[5] = w[2];
  }
};

struct WeightMatrixTransposed {  // G^T: six values to three weights' gradients
  static constexpr int kIn = 6, kOut = 3;
  static HWY_INLINE void apply(const FloatVec* m, FloatVec* w) {
    const FloatVec sum_a = hn::Mul(constant(kOverNA), hn::Add(m[1], m[2]));
    const FloatVec sum_b = hn::Mul(constant(kOverNB), hn::Add(m[3], m[4]));
    w[0] = hn::Add(m[0], hn::Add(sum_a, sum_b));
    w[1] = hn::MulAdd(constant(kOverNA * kA), hn::Sub(m[1], m[2]),
                      hn::Mul(constant(kOverNB * kB), hn::Sub(m[3], m[4])));
    w[2] = hn::MulAdd(constant(kA2), sum_a, hn::MulAdd(constant(kB2), sum_b, m[5]));
  }
};

struct OutputMatrix {  // A^T: six values to four pixels
  static constexpr int kIn = 6, kOut = 4;
  static HWY_INLINE void apply(const FloatVec* m, FloatVec* y) {
    const FloatVec sum_a = hn::Add(m[1], m[2]), sum_b = hn::Add(m[3], m[4]);
    const FloatVec a = hn::Mul(constant(kA), hn::Sub(m[1], m[2]));
    const FloatVec b = hn::Mul(constant(kB), hn::Sub(m[3], m[4]));
    y[0] = hn::Add(m[0], hn::Add(sum_a, sum_b));
    y[1] = hn::Add(a, b);
    y[2] = hn::MulAdd(constant(kA2), sum_a, hn::Mul(constant(kB2), sum_b));
    y[3] = hn::MulAdd(constant(kA2), a, hn::MulAdd(constant(kB2), b, m[5]));
  }
};

struct OutputMatrixTransposed {  // A: four pixels to six values
  static constexpr int kIn = 4, kOut = 6;
  static HWY_INLINE void apply(const FloatVec* y, FloatVec* m) {
    m[0] = y[0];
    const FloatVec even_a = hn::MulAdd(constant(kA2), y[2], y[0]);
    const FloatVec odd_a = hn::MulAdd(constant(kA2), y[3], y[1]);
    m[1] = hn::MulAdd(constant(kA), odd_a, even_a);
    m[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
    const FloatVec even_b = hn::MulAdd(constant(kB2), y[2], y[0]);
    const FloatVec odd_b = hn::MulAdd(constant(kB2), y[3], y[1]);
    m[3] = hn::MulAdd(constant(kB), odd_b, even_b);
    m[4] = hn::NegMulAdd(constant(kB), odd_b, even_b);
    m[5] = y[3];
  }
};

/// Matrix * X * Matrix^T. `load(i, j)` gives an element of X, `store(i, j, v)` takes one of the
/// result.
template <class Matrix, class Load, class Store>
HWY_INLINE void transform(const Load& load, const Store& store) {
  FloatVec half[Matrix::kOut][Matrix::kIn];
  // The outer loops stay loops: unrolled, they need more addresses than there are registers.
#pragma GCC unroll 1
  for (int j = 0; j < Matrix::kIn; ++j) {
    FloatVec in[Matrix::kIn], out[Matrix::kOut];
#pragma GCC unroll 8
    for (int i = 0; i < Matrix::kIn; ++i) in[i] = load(i, j);
    Matrix::apply(in, out);
#pragma GCC unroll 8
    for (int i = 0; i < Matrix::kOut; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 1
  for (int i = 0; i < Matrix::kOut; ++i) {
    FloatVec out[Matrix::kOut];
    Matrix::apply(half[i], out);
#pragma GCC unroll 8
    for (int j = 0; j < Matrix::kOut; ++j) store(i, j, out[j]);
  }
}

/// A square of pixels of an image, of which some may lie outside.
template <class Image>
struct Square {
  Image image;
  std::int64_t origin, row_step;               // element of its first pixel, which may lie outside
  int first_row, end_row, first_col, end_col;  // what of it lies inside
  bool inside;                                 // all of it

  Square(const Image& of, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t side)
      : image(of) {
    const std::int64_t height = image.shape[1], width = image.shape[2];
    row_step = width * image.pitch;
    origin = ((n * height + h) * width + w) * image.pitch;
    first_row = static_cast<int>(std::clamp<std::int64_t>(-h, 0, side));
    end_row = static_cast<int>(std::clamp<std::int64_t>(height - h, 0, side));
    first_col = static_cast<int>(std::clamp<std::int64_t>(-w, 0, side));
    end_col = static_cast<int>(std::clamp<std::int64_t>(width - w, 0, side));
    inside = first_row == 0 && first_col == 0 && end_row == side && end_col == side;
  }
  bool has(int i, int j) const {
    return i >= first_row && i < end_row && j >= first_col && j < end_col;
  }
  /// Channel c of pixel (i, j), which must lie inside.
  auto at(int i, int j, std::int64_t c) const {
    return image.template as<float>() + origin + i * row_step + j * image.pitch + c;
  }
};

/// Transformed tiles, their channels in blocks: value f of channel c of tile t lies at
/// at(t, c)[f * frequency_step].
struct Panels {
  float* data;
  std::int64_t block;  // channels, a multiple of the vector's length
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

/// Transforms a square of pixels, side Matrix::kIn, into tile `tile` of the panels. Whole vectors
/// are written, zeros behind the last channel.
template <class Matrix>
HWY_INLINE void transform_square(const Square<ConstView>& square, const Panels& panels,
                                 std::int64_t tile) {
  const Floats d;
  const std::int64_t channels = square.image.channels();
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    float* to = panels.at(tile, c);
    const auto store = [to, step = panels.frequency_step](int i, int j, FloatVec v)
                           HWY_ATTR { hn::Store(v, Floats(), to + (i * 6 + j) * step); };
    const std::int64_t rest = channels - c;
    if (square.inside && rest >= kLanes) {
      transform<Matrix>([&](int i, int j) HWY_ATTR { return hn::LoadU(d, square.at(i, j, c)); },
                        store);
      continue;
    }
    transform<Matrix>(
        [&](int i, int j) HWY_ATTR {
          if (!square.has(i, j)) return hn::Zero(d);
          return load_some(d, square.at(i, j, c), rest);
        },
        store);
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
