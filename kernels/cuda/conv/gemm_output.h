// Where the results of a product go, and the ordered addition of split sums.
#pragma once

#include "kernels/api/context.h"
#include "kernels/cuda/conv/gemm_digits.h"

namespace glia::GLIA_GPU {

/// A matrix of results that lies in an image: row m is a pixel, columns are its channels.
struct Output {
  float* data = nullptr;
  std::int64_t pitch = 0;       // elements between pixels
  std::int64_t split_step = 0;  // elements between the results of two splits
  const float* bias = nullptr;  // one a channel, or none
  int rows = 0, columns = 0;
  int channels = 0;  // column c is channel c % channels of the window's pixel c / channels
  int window_columns = 1;
  bool accumulate = false;
  bool fours = false;  // pixels allow accesses of four channels, and four columns lie in one pixel
  // Row m is pixel m or, if scattered, position (n, i, j) of a grid, which stands for the pixel
  // (n, i * step_h + first_h, j * step_w + first_w).
  bool scattered = false;
  int height = 1, width = 1;
  int grid_rows = 1, grid_columns = 1, step_h = 1, step_w = 1, first_h = 0, first_w = 0;

  GLIA_INLINE Radix grid() const { return {grid_columns, grid_rows}; }

  /// The start of row m, which is also position `at` of the grid.
  GLIA_INLINE float* row(int m, const Digits& at) const {
    const int h = at.high * height + at.middle * step_h + first_h;
    const int pixel = scattered ? h * width + at.low * step_w + first_w : m;
    return data + pixel * pitch;
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

  GLIA_INLINE void put(float* to, float value) const { *to = accumulate ? *to + value : value; }

  GLIA_INLINE void put4(float* to, const float* values) const {
    float4 v = {values[0], values[1], values[2], values[3]};
    auto* four = reinterpret_cast<float4*>(to);
    if (accumulate) {
      const float4 old = *four;
      v = {old.x + v.x, old.y + v.y, old.z + v.z, old.w + v.w};
    }
    *four = v;
  }
};

/// Eight columns of an output as a thread writes them, row after row: what rows have in common.
struct OutputRun {
  static constexpr int kColumns = 8;
  std::int64_t offsets[kColumns];  // after the start of a row
  float bias[kColumns] = {};
  bool live[kColumns];  // not beyond the last column

  /// column(c): the c-th; the first four are neighbours, and so are the others. Results of `split`.
  template <class Column>
  GLIA_INLINE OutputRun(const Output& output, int split, const Column& column) {
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      live[c] = column(c) < output.columns;
      offsets[c] = live[c] ? output.offset(column(c), bias[c]) + split * output.split_step : 0;
    }
  }

  /// value(c), with the bias, into the row that starts at `to`.
  template <class Value>
  GLIA_INLINE void put(const Output& output, float* to, const Value& value) const {
    float values[kColumns];
#pragma unroll
    for (int c = 0; c < kColumns; ++c) values[c] = value(c) + bias[c];
    if (output.fours) {
#pragma unroll
      for (int c = 0; c < kColumns; c += 4)
        if (live[c]) output.put4(to + offsets[c], values + c);
    } else {
#pragma unroll
      for (int c = 0; c < kColumns; ++c)
        if (live[c]) output.put(to + offsets[c], values[c]);
    }
  }
};

/// Queues output = the sum of `splits` dense matrices, one after the other in `partials`, added in
/// order.
void merge_splits(KernelContext& context, const float* partials, int splits, const Output& output);

}  // namespace glia::GLIA_GPU
