// What Winograd's forward pass and dgrad do with their products: transform them back, write pixels
// and sum up their moments. Included once an instruction set (Highway's foreach_target).
#if defined(GLIA_KERNELS_CPU_CONV_WINOGRAD_OUTPUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CONV_WINOGRAD_OUTPUT_INL_H_
#undef GLIA_KERNELS_CPU_CONV_WINOGRAD_OUTPUT_INL_H_
#else
#define GLIA_KERNELS_CPU_CONV_WINOGRAD_OUTPUT_INL_H_
#endif

#include "kernels/cpu/conv/winograd-inl.h"
#include "kernels/cpu/conv/winograd_conv.h"
#include "kernels/cpu/moment_sums-inl.h"
#include "kernels/cpu/streams.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// Where the sums of a batch of tiles lie: line l of outputs at data + l * kLine; null: none
/// wanted.
struct BatchSums {
  float* data = nullptr;
  std::int64_t step = 0;
};

/// Transforms products of one tile back and writes its pixels: outputs [first, first + count),
/// whose product f lies at products + f * frequency_step. `stream`: past the caches, in whole
/// lines.
template <bool stream, bool summed>
HWY_INLINE void write_tile(const WinogradConv& a, const Square<View>& square, std::int64_t first,
                           std::int64_t count, const float* products, std::int64_t frequency_step,
                           const BatchSums& batch, bool fresh) {
  const Floats d;
  for (std::int64_t k = 0; k < count; k += kLine) {
    const std::int64_t rest = count - k;
    const auto bias_of = [&](int v) HWY_ATTR {
      return a.bias && rest > v * kLanes
                 ? load_some(d, a.bias.as<float>() + first + k + v * kLanes, rest - v * kLanes)
                 : hn::Zero(d);
    };
    const auto load = [&](int i, int j, int v) HWY_ATTR {
      return hn::Load(d, products + (i * 6 + j) * frequency_step + k + v * kLanes);
    };
    float* const line = summed ? batch.data + first + k : nullptr;
    MomentSums sums[kLineVectors];
    for (int v = 0; summed && v < kLineVectors; ++v)
      sums[v] = MomentSums(line + v * kLanes, batch.step, fresh);
    if (square.inside && rest >= kLine && a.write == Write::overwrite) {
      transform<OutputMatrix>(load, [&](int i, int j, int v, FloatVec x) HWY_ATTR {
        float* y = square.at(i, j, first + k) + v * kLanes;
        x = hn::Add(x, bias_of(v));
        if (summed) sums[v].add(x, i == 0 && j == 0);
        if (stream)
          hn::Stream(x, d, y);
        else
          hn::StoreU(x, d, y);
      });
    } else {
      transform<OutputMatrix>(load, [&](int i, int j, int v, FloatVec x) HWY_ATTR {
        if (!square.has(i, j) || rest <= v * kLanes) return;
        x = hn::Add(x, bias_of(v));
        if (summed) sums[v].add(x, i == 0 && j == 0);
        write_some(d, x, square.at(i, j, first + k) + v * kLanes, rest - v * kLanes,
                   a.write == Write::accumulate);
      });
    }
    for (int v = 0; summed && v < kLineVectors; ++v) sums[v].keep(line + v * kLanes, batch.step);
  }
}

/// The tiles of the result, and where their pixels come from and go.
struct Tiles : WinogradTiles {
  const WinogradConv& a;

  explicit Tiles(const WinogradConv& conv)
      : WinogradTiles(conv.out.shape[0], conv.out.shape[1], conv.out.shape[2]), a(conv) {}
  Square<ConstView> source(std::int64_t tile) const {
    return {a.in, image(tile), first_row(tile) - a.pad_top, first_col(tile) - a.pad_left, 6};
  }
  Square<View> target(std::int64_t tile) const {
    return {a.out, image(tile), first_row(tile), first_col(tile), 4};
  }
  /// Pixels of tiles [t0, t1) that lie in an image.
  std::int64_t pixels(std::int64_t t0, std::int64_t t1) const {
    std::int64_t sum = 0;
    for (std::int64_t t = t0; t < t1; ++t)
      sum += std::min<std::int64_t>(4, a.out.shape[1] - first_row(t)) *
             std::min<std::int64_t>(4, a.out.shape[2] - first_col(t));
    return sum;
  }
};

/// Products of `rows` tiles and `width` outputs: frequency f of them lies at data + f * step.
struct Products {
  float* data;
  std::int64_t pitch, step;

  Products(float* memory, std::int64_t rows, std::int64_t width)
      : data(memory), pitch(padded_pitch(width)), step(frequency_step_of(rows, pitch)) {}
  static std::int64_t size(std::int64_t rows, std::int64_t width) {
    return kFrequencies * frequency_step_of(rows, padded_pitch(width));
  }
  Products from_row(std::int64_t row) const {
    Products rest = *this;
    rest.data += row * pitch;
    return rest;
  }
};

/// Writes the pixels of tiles [t0, t0 + count), outputs [first, first + outputs), and sums them up.
void write_tiles(const Tiles& tiles, std::int64_t t0, std::int64_t count, std::int64_t first,
                 std::int64_t outputs, const Products& products, const BatchSums& sums) {
  const bool stream = streams(tiles.a.out);
  for (std::int64_t t = 0; t < count; ++t) {
    const float* from = products.data + t * products.pitch;
    const auto write = [&](auto tile) HWY_ATTR {
      tile(tiles.a, tiles.target(t0 + t), first, outputs, from, products.step, sums, t == 0);
    };
    if (stream && sums.data != nullptr)
      write([](auto&&... args) HWY_ATTR { write_tile<true, true>(args...); });
    else if (stream)
      write([](auto&&... args) HWY_ATTR { write_tile<true, false>(args...); });
    else if (sums.data != nullptr)
      write([](auto&&... args) HWY_ATTR { write_tile<false, true>(args...); });
    else
      write([](auto&&... args) HWY_ATTR { write_tile<false, false>(args...); });
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
