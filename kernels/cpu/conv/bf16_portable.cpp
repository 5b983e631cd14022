// The bf16 unit in plain C++: what the others are compared with, on any machine.
#include <cmath>

#include "kernels/cpu/conv/bf16_unit.h"

namespace glia::cpu {

namespace {

Bf16 read(const float* from, const Bf16Map& map, std::int64_t c) {
  float x = from[c];
  if (map.scale != nullptr) {
    x = std::fma(x, map.scale[c], map.shift[c]);
    if (x < map.floor[c]) x = map.floor[c];
  }
  return round_to_bf16(x);
}

void multiply(const Bf16Product& p) {
  for (std::int64_t i = 0; i < kTileRows * p.a_tiles; ++i)
    for (std::int64_t j = 0; j < kTileRows * p.b_tiles; ++j) {
      float& to = p.sums[i * kTileBlock + j];
      float sum = p.accumulate ? to : 0.0f;
      const Bf16* b = p.b + j / 16 * p.b_tile + j % 16 * 2;
      for (std::int64_t r = 0; r < p.run_count; ++r) {
        const Bf16* a = p.a[i / kTileRows] + p.runs[r] + i % kTileRows * p.a_row;
        for (std::int64_t step = 0; step < p.run_steps; ++step, a += kTileDepth, b += p.b_step)
          for (std::int64_t d = 0; d < kTileDepth; ++d)
            sum += float_of(a[d]) * float_of(b[d / 2 * kTileBlock + d % 2]);
      }
      to = sum;
    }
}

void pack_pixels(const Bf16Pixels& p) {
  for (std::int64_t w = 0; w < p.pixels; ++w) {
    Bf16* to = p.to + w * p.pixel;
    for (std::int64_t c = 0; c < p.padded; ++c)
      to[c] = c < p.channels ? read(p.from + w * p.pitch, p.map, c) : Bf16{0};
  }
}

void pack_weights(const Bf16Weights& p) {
  for (std::int64_t k = 0; k < p.outputs; ++k)
    for (std::int64_t d = 0; d < p.depth; ++d) {
      const std::int64_t place = p.first + d;
      p.to[(place / kTileDepth * 2 + k / 16) * kTileSize + place % kTileDepth / 2 * kTileBlock +
           k % 16 * 2 + place % 2] =
          round_to_bf16(p.from[d * p.depth_stride + k * p.output_stride]);
    }
}

void pack_columns(const Bf16Columns& p) {
  for (std::int64_t w = 0; w < p.pixels; ++w)
    for (std::int64_t c = 0; c < p.channels; ++c)
      p.to[c * p.plane + w] = read(p.from + w * p.pitch, p.map, c);
}

void pack_pairs(const Bf16Pairs& p) {
  for (std::int64_t w = 0; w < p.padded; ++w)
    for (std::int64_t c = 0; c < (p.channels + 15) / 16 * 16; ++c)
      p.to[c / 16 * p.block + w / 2 * kTileBlock + c % 16 * 2 + w % 2] =
          w < p.pixels && c < p.channels ? read(p.from + w * p.pitch, p.map, c) : Bf16{0};
}

void write(const Bf16Results& r) {
  for (std::int64_t p = 0; p < r.pixels; ++p)
    for (std::int64_t k = 0; k < r.outputs; ++k) {
      float& to = r.out[p * r.out_step + k];
      const float value = r.sums[p * kTileBlock + k] + r.bias[k];
      to = r.accumulate ? to + value : value;
      if (r.moments == nullptr) continue;
      float *shift = r.moments + k, *sum = shift + r.moments_step, *squares = sum + r.moments_step;
      if (r.fresh && p == 0) {
        *shift = value;
        *sum = *squares = 0;
      }
      *sum += value - *shift;
      *squares += (value - *shift) * (value - *shift);
    }
}

}  // namespace

const Bf16Unit* bf16_portable() {
  static constexpr Bf16Unit kUnit = {"portable",   [] {},        [] {},      multiply, pack_pixels,
                                     pack_weights, pack_columns, pack_pairs, write};
  return &kUnit;
}

}  // namespace glia::cpu
