// Where the results of a product go, and the ordered addition of split sums. Sums are float32, and
// so are results, but for those of products of bf16 whose output is bf16: they are rounded once, as
// they are written.
#pragma once

#include <algorithm>
#include <type_traits>

#include "engine/base/bf16.h"
#include "kernels/api/context.h"
#include "kernels/api/read_map.h"
#include "kernels/cuda/conv/gemm_digits.h"
#include "kernels/cuda/map_value.h"
#include "kernels/cuda/ptx.h"

namespace glia::GLIA_GPU {

/// kCount neighbouring results, read and written at once.
template <int kCount, class T>
struct alignas(kCount * sizeof(T)) Results {
  T at[kCount];

  GLIA_INLINE float get(int i) const {
    if constexpr (std::is_same_v<T, Bf16>)
      return to_float(at[i]);
    else
      return at[i];
  }
  GLIA_INLINE void set(const float* values) {
    if constexpr (std::is_same_v<T, Bf16>)
      at[0].bits = static_cast<std::uint16_t>(ptx::pack_bf16(values[0], 0));
    else
#pragma unroll
      for (int i = 0; i < kCount; ++i) at[i] = values[i];
  }
};

/// Of bf16 by pairs, as they are rounded.
template <int kCount>
requires(kCount > 1) struct alignas(kCount * sizeof(Bf16)) Results<kCount, Bf16> {
  std::uint32_t pairs[kCount / 2];

  GLIA_INLINE float get(int i) const {
    return __uint_as_float(i % 2 == 0 ? pairs[i / 2] << 16 : pairs[i / 2] & 0xFFFF0000u);
  }
  GLIA_INLINE void set(const float* values) {
#pragma unroll
    for (int i = 0; i < kCount; i += 2) pairs[i / 2] = ptx::pack_bf16(values[i], values[i + 1]);
  }
};

/// The map (kernels/api/read_map.h) through which results are written, or none.
struct ResultMap {
  const float* data = nullptr;
  std::int64_t pitch = 0;

  GLIA_INLINE float at(std::int64_t row, int channel) const { return data[row * pitch + channel]; }
  GLIA_INLINE float operator()(int channel, float x) const {
    return map_value(at(MapRow::scale, channel), at(MapRow::shift, channel),
                     at(MapRow::floor, channel), x);
  }
};

/// Where a forward pass leaves the moments of its results (gemm_moments.h), or none.
struct ResultMoments {
  double* total = nullptr;  // [2, channels]: means and sums of squared deviations
  std::int64_t pitch = 0;   // of total
  float* parts = nullptr;   // of each row of tiles: see below; null where a pass of its own does it
  int channels = 0, tiles = 0;

  /// Of a channel and row of tiles; those of a channel are neighbours.
  GLIA_INLINE float& mean(int channel, int tile) const {
    return parts[std::int64_t{channel} * tiles + tile];
  }
  GLIA_INLINE float& squares(int channel, int tile) const {
    return parts[std::int64_t{channels + channel} * tiles + tile];
  }
  /// How many rows it has, of the output.
  GLIA_INLINE float& rows(int tile) const {
    return parts[2 * std::int64_t{channels} * tiles + tile];
  }
};

/// A matrix of results that lies in an image: row m is a pixel, columns are its channels.
struct Output {
  void* data = nullptr;         // float or, if `bf16`, Bf16
  std::int64_t pitch = 0;       // elements between pixels
  std::int64_t split_step = 0;  // elements between the results of two splits
  const float* bias = nullptr;  // one a channel, or none
  ResultMap map = {};           // only where columns are channels
  ResultMoments moments = {};   // likewise
  int rows = 0, columns = 0;
  int channels = 0;  // column c is channel c % channels of the window's pixel c / channels
  int window_columns = 1;
  bool bf16 = false;  // only of products of bf16
  bool accumulate = false;
  bool pieces = false;  // pixels allow accesses of 16 bytes, whose columns lie in one pixel
  // Row m is pixel m or, if scattered, position (n, i, j) of a grid, which stands for the pixel
  // (n, i * step_h + first_h, j * step_w + first_w).
  bool scattered = false;
  int height = 1, width = 1;
  int grid_rows = 1, grid_columns = 1, step_h = 1, step_w = 1, first_h = 0, first_w = 0;

  GLIA_INLINE Radix grid() const { return {grid_columns, grid_rows}; }

  /// The element that row m, which is also position `at` of the grid, starts with.
  GLIA_INLINE std::int64_t row(int m, const Digits& at) const {
    const int h = at.high * height + at.middle * step_h + first_h;
    const int pixel = scattered ? h * width + at.low * step_w + first_w : m;
    return pixel * pitch;
  }

  /// Where `column` lies after the start of a row, and the bias of its channel.
  GLIA_INLINE std::int64_t offset(int column, float& bias_of_channel) const {
    int channel = column;
    std::int64_t pixels = 0;
    if (column >= channels) {
      const int position = column / channels;
      channel -= position * channels;
      pixels = position / window_columns * width + position % window_columns;
    }
    bias_of_channel = bias ? bias[channel] : 0;
    return pixels * pitch + channel;
  }

  /// kCount neighbours of type T, from element `to` on.
  template <int kCount, class T>
  GLIA_INLINE void put(std::int64_t to, const float* values) const {
    auto* place = reinterpret_cast<Results<kCount, T>*>(static_cast<T*>(data) + to);
    Results<kCount, T> results;
    if (accumulate) {
      const Results<kCount, T> old = *place;
      float sums[kCount];
#pragma unroll
      for (int i = 0; i < kCount; ++i) sums[i] = old.get(i) + values[i];
      results.set(sums);
    } else {
      results.set(values);
    }
    *place = results;
  }
};

/// Eight columns of an output as a thread writes them, row after row: what rows have in common.
/// kRun of them and the next kRun are neighbours; Factor is the type of the operands.
template <int kRun, class Factor>
struct OutputRun {
  static constexpr int kColumns = 8;
  std::int64_t offsets[kColumns];  // after the start of a row
  float bias[kColumns] = {};
  float scale[kColumns], shift[kColumns], floor[kColumns];  // where there is a map
  bool live[kColumns];                                      // not beyond the last column

  /// column(c): the c-th. Results of `split`.
  template <class Column>
  GLIA_INLINE OutputRun(const Output& output, int split, const Column& column) {
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      live[c] = column(c) < output.columns;
      offsets[c] = live[c] ? output.offset(column(c), bias[c]) + split * output.split_step : 0;
      if (!output.map.data || !live[c]) continue;
      scale[c] = output.map.at(MapRow::scale, column(c));
      shift[c] = output.map.at(MapRow::shift, column(c));
      floor[c] = output.map.at(MapRow::floor, column(c));
    }
  }

  /// value(c), with the bias, into the row that starts with element `row`.
  template <class Value>
  GLIA_INLINE void put(const Output& output, std::int64_t row, const Value& value) const {
    float values[kColumns];
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      values[c] = value(c) + bias[c];
      if (output.map.data) values[c] = map_value(scale[c], shift[c], floor[c], values[c]);
    }
    if constexpr (std::is_same_v<Factor, Bf16>)
      if (output.bf16) return put_as<Bf16>(output, row, values);
    put_as<float>(output, row, values);
  }

 private:
  template <class T>
  GLIA_INLINE void put_as(const Output& output, std::int64_t row, const float* values) const {
    constexpr int kWide = std::min(kRun, 16 / static_cast<int>(sizeof(T)));
    if (output.pieces) {
#pragma unroll
      for (int c = 0; c < kColumns; c += kWide)
        if (live[c]) output.put<kWide, T>(row + offsets[c], values + c);
    } else {
#pragma unroll
      for (int c = 0; c < kColumns; ++c)
        if (live[c]) output.put<1, T>(row + offsets[c], values + c);
    }
  }
};

/// Queues output = the sum of `splits` dense matrices, one after the other in `partials`, added in
/// order.
void merge_splits(KernelContext& context, const float* partials, int splits, const Output& output);

}  // namespace glia::GLIA_GPU
