// The bf16 unit of AVX512-BF16: an instruction multiplies 16 pairs and adds both products to 16
// sums. Its packing serves AMX as well.
#include "kernels/cpu/conv/bf16_unit.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

#include <hwy/base.h>

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")
namespace glia::cpu {

namespace {

__mmask16 first_of_16(std::int64_t count) {
  return static_cast<__mmask16>((1u << std::clamp<std::int64_t>(count, 0, 16)) - 1);
}

__mmask32 first_of_32(std::int64_t count) {
  return count >= 32 ? ~__mmask32{0} : static_cast<__mmask32>((1u << count) - 1);
}

/// 16 rounded numbers of `a` in the lower half, of `b` in the upper.
__m512i round_pair(__m512 a, __m512 b) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a));
}

/// Lane i: a[i] and above it b[i], rounded.
__m512i interleave(__m512 a, __m512 b) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, round_pair(a, b));
}

/// Channels c to c + 15 of a pixel through the map.
template <bool mapped>
__m512 read(const float* from, const Bf16Map& map, std::int64_t c) {
  const __m512 x = _mm512_loadu_ps(from + c);
  if constexpr (!mapped) return x;
  return _mm512_max_ps(
      _mm512_loadu_ps(map.floor + c),
      _mm512_fmadd_ps(x, _mm512_loadu_ps(map.scale + c), _mm512_loadu_ps(map.shift + c)));
}

/// The first of them, as many as `lanes` says, and zeros.
template <bool mapped>
__m512 read_some(const float* from, const Bf16Map& map, std::int64_t c, __mmask16 lanes) {
  const __m512 x = _mm512_maskz_loadu_ps(lanes, from + c);
  if constexpr (!mapped) return x;
  return _mm512_max_ps(_mm512_maskz_loadu_ps(lanes, map.floor + c),
                       _mm512_fmadd_ps(x, _mm512_maskz_loadu_ps(lanes, map.scale + c),
                                       _mm512_maskz_loadu_ps(lanes, map.shift + c)));
}

/// The line at `p` on its way into the L2 cache; any address will do.
void prefetch(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
}

constexpr std::int64_t kAhead = 16;  // pixels

template <bool mapped>
void pixels(const Bf16Pixels& p) {
  const float* from = p.from;
  Bf16* to = p.to;
  for (std::int64_t w = 0; w < p.pixels; ++w, from += p.pitch, to += p.pixel) {
    std::int64_t c = 0;
    for (; c + 32 <= p.channels; c += 32) {
      prefetch(from + kAhead * p.pitch + c);
      prefetch(from + kAhead * p.pitch + c + 16);
      _mm512_storeu_si512(
          to + c, round_pair(read<mapped>(from, p.map, c), read<mapped>(from, p.map, c + 16)));
    }
    for (; c < p.padded; c += 32) {
      const __m512 low = read_some<mapped>(from, p.map, c, first_of_16(p.channels - c));
      const __m512 high = read_some<mapped>(from, p.map, c + 16, first_of_16(p.channels - c - 16));
      _mm512_mask_storeu_epi16(to + c, first_of_32(p.padded - c), round_pair(low, high));
    }
  }
}

/// r[i][j] and r[j][i] change places.
void transpose(__m512i r[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  // r[4 g + e] has, in its 128-bit lane l, column 4 l + e of rows 4 g to 4 g + 3.
#pragma GCC unroll 4
  for (int e = 0; e < 4; ++e) {
    const __m512i a = _mm512_shuffle_i32x4(r[e], r[4 + e], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(r[8 + e], r[12 + e], 0x88);
    const __m512i c = _mm512_shuffle_i32x4(r[e], r[4 + e], 0xdd);
    const __m512i d = _mm512_shuffle_i32x4(r[8 + e], r[12 + e], 0xdd);
    t[e] = _mm512_shuffle_i32x4(a, b, 0x88);
    t[8 + e] = _mm512_shuffle_i32x4(a, b, 0xdd);
    t[4 + e] = _mm512_shuffle_i32x4(c, d, 0x88);
    t[12 + e] = _mm512_shuffle_i32x4(c, d, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) r[i] = t[i];
}

template <bool mapped>
void columns(const Bf16Columns& p) {
  for (std::int64_t w = 0; w < p.pixels; w += 32) {
    const std::int64_t count = std::min<std::int64_t>(32, p.pixels - w);
    const __mmask32 stored = first_of_32(count);
    for (std::int64_t c = 0; c < p.channels; c += 16) {
      const __mmask16 lanes = first_of_16(p.channels - c);
      __m512i pairs[16];
      for (std::int64_t i = 0; i < 16; ++i) {
        const float* from = p.from + (w + 2 * i) * p.pitch;
        const __m512 even =
            2 * i < count ? read_some<mapped>(from, p.map, c, lanes) : _mm512_setzero_ps();
        const __m512 odd = 2 * i + 1 < count ? read_some<mapped>(from + p.pitch, p.map, c, lanes)
                                             : _mm512_setzero_ps();
        prefetch(from + 32 * p.pitch + c);
        prefetch(from + 33 * p.pitch + c);
        pairs[i] = interleave(even, odd);
      }
      transpose(pairs);
      Bf16* to = p.to + c * p.plane + w;
      const std::int64_t rows = std::min<std::int64_t>(16, p.channels - c);
      for (std::int64_t i = 0; i < rows; ++i)
        _mm512_mask_storeu_epi16(to + i * p.plane, stored, pairs[i]);
    }
  }
}

template <bool mapped>
void pairs_of(const Bf16Pairs& p) {
  for (std::int64_t w = 0; w < p.padded; w += 2) {
    const float* from = p.from + w * p.pitch;
    for (std::int64_t c = 0; c < p.channels; c += 16) {
      const __mmask16 lanes = first_of_16(p.channels - c);
      const __m512 even =
          w < p.pixels ? read_some<mapped>(from, p.map, c, lanes) : _mm512_setzero_ps();
      const __m512 odd = w + 1 < p.pixels ? read_some<mapped>(from + p.pitch, p.map, c, lanes)
                                          : _mm512_setzero_ps();
      prefetch(from + kAhead * p.pitch + c);
      prefetch(from + (kAhead + 1) * p.pitch + c);
      _mm512_storeu_si512(p.to + c / 16 * p.block + w / 2 * kTileBlock, interleave(even, odd));
    }
  }
}

/// 8 rows of the left operand.
template <int kB>
void multiply_rows(const Bf16Product& p, int tile, std::int64_t row) {
  constexpr int kRows = 8;
  float* sums = p.sums + (tile * kTileRows + row) * kTileBlock;
  __m512 acc[kRows][kB];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kB; ++v)
      acc[i][v] =
          p.accumulate ? _mm512_loadu_ps(sums + i * kTileBlock + v * 16) : _mm512_setzero_ps();
  const Bf16* b = p.b;
  for (std::int64_t run = 0; run < p.run_count; ++run) {
    const Bf16* a = p.a[tile] + p.runs[run] + row * p.a_row;
    for (std::int64_t step = 0; step < p.run_steps; ++step, a += kTileDepth, b += p.b_step)
      for (std::int64_t pair = 0; pair < 16; ++pair) {
        __m512bh right[kB];
#pragma GCC unroll 2
        for (int v = 0; v < kB; ++v)
          right[v] =
              reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + v * p.b_tile + pair * kTileBlock));
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
          int two = 0;
          __builtin_memcpy(&two, a + i * p.a_row + 2 * pair, sizeof two);
          const auto left = reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
#pragma GCC unroll 2
          for (int v = 0; v < kB; ++v) acc[i][v] = _mm512_dpbf16_ps(acc[i][v], left, right[v]);
        }
      }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kB; ++v) _mm512_storeu_ps(sums + i * kTileBlock + v * 16, acc[i][v]);
}

void multiply(const Bf16Product& p) {
  for (int tile = 0; tile < p.a_tiles; ++tile)
    for (std::int64_t row = 0; row < kTileRows; row += 8)
      p.b_tiles == 2 ? multiply_rows<2>(p, tile, row) : multiply_rows<1>(p, tile, row);
}

/// Results of up to 16 outputs.
template <bool summed>
void write_vector(const Bf16Results& r, std::int64_t first, __mmask16 lanes) {
  const __m512 bias = _mm512_loadu_ps(r.bias + first);
  const float* sums = r.sums + first;
  float* out = r.out + first;
  float* kept = summed ? r.moments + first : nullptr;
  __m512 shift = _mm512_setzero_ps(), s1 = shift, s2 = shift;
  if constexpr (summed) {
    shift = r.fresh ? _mm512_add_ps(_mm512_loadu_ps(sums), bias) : _mm512_loadu_ps(kept);
    if (!r.fresh) {
      s1 = _mm512_loadu_ps(kept + r.moments_step);
      s2 = _mm512_loadu_ps(kept + 2 * r.moments_step);
    }
  }
  for (std::int64_t p = 0; p < r.pixels; ++p, sums += kTileBlock, out += r.out_step) {
    __m512 y = _mm512_add_ps(_mm512_loadu_ps(sums), bias);
    if constexpr (summed) {
      const __m512 d = _mm512_sub_ps(y, shift);
      s1 = _mm512_add_ps(s1, d);
      s2 = _mm512_fmadd_ps(d, d, s2);
    }
    if (r.stream) {
      _mm512_stream_ps(out, y);
      continue;
    }
    if (r.accumulate) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(lanes, out));
    _mm512_mask_storeu_ps(out, lanes, y);
  }
  if constexpr (summed) {
    _mm512_storeu_ps(kept, shift);
    _mm512_storeu_ps(kept + r.moments_step, s1);
    _mm512_storeu_ps(kept + 2 * r.moments_step, s2);
  }
}

/// A tap's weights where outputs follow one another: pairs of depths.
void weights_by_outputs(const Bf16Weights& p) {
  for (std::int64_t d = 0; d < p.depth; d += 2) {
    const std::int64_t place = p.first + d;
    for (std::int64_t k = 0; k < p.outputs; k += 16) {
      const __mmask16 lanes = first_of_16(p.outputs - k);
      const float* from = p.from + d * p.depth_stride + k;
      const __m512 even = _mm512_maskz_loadu_ps(lanes, from);
      const __m512 odd = d + 1 < p.depth ? _mm512_maskz_loadu_ps(lanes, from + p.depth_stride)
                                         : _mm512_setzero_ps();
      _mm512_storeu_si512(p.to + (place / kTileDepth * 2 + k / 16) * kTileSize +
                              place % kTileDepth / 2 * kTileBlock,
                          interleave(even, odd));
    }
  }
}

/// Where depths follow one another and fill whole tiles: 16 outputs x 32 depths, transposed.
void weights_by_depth(const Bf16Weights& p) {
  for (std::int64_t d = 0; d < p.depth; d += kTileDepth)
    for (std::int64_t k = 0; k < p.outputs; k += 16) {
      __m512i pairs[16];
      for (std::int64_t i = 0; i < 16; ++i) {
        const float* from = p.from + d + (k + i) * p.output_stride;
        const bool exists = k + i < p.outputs;
        const __mmask16 low = exists ? first_of_16(p.depth - d) : __mmask16{0};
        const __mmask16 high = exists ? first_of_16(p.depth - d - 16) : __mmask16{0};
        pairs[i] =
            round_pair(_mm512_maskz_loadu_ps(low, from), _mm512_maskz_loadu_ps(high, from + 16));
      }
      transpose(pairs);
      Bf16* to = p.to + ((p.first + d) / kTileDepth * 2 + k / 16) * kTileSize;
      for (std::int64_t i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * kTileBlock, pairs[i]);
    }
}

void pack_pixels(const Bf16Pixels& p) {
  p.map.scale != nullptr ? pixels<true>(p) : pixels<false>(p);
}

void pack_weights(const Bf16Weights& p) {
  if (p.output_stride == 1 && p.first % 2 == 0) return weights_by_outputs(p);
  if (p.depth_stride == 1 && p.first % kTileDepth == 0 && p.depth >= 16) return weights_by_depth(p);
  bf16_portable()->pack_weights(p);
}

void pack_columns(const Bf16Columns& p) {
  p.map.scale != nullptr ? columns<true>(p) : columns<false>(p);
}

void pack_pairs(const Bf16Pairs& p) {
  p.map.scale != nullptr ? pairs_of<true>(p) : pairs_of<false>(p);
}

void write(const Bf16Results& r) {
  for (std::int64_t k = 0; k < r.outputs; k += 16) {
    const __mmask16 lanes = first_of_16(r.outputs - k);
    r.moments != nullptr ? write_vector<true>(r, k, lanes) : write_vector<false>(r, k, lanes);
  }
}

}  // namespace

}  // namespace glia::cpu
HWY_POP_ATTRIBUTES

namespace glia::cpu {

const Bf16Unit* bf16_avx512() {
  static constexpr Bf16Unit kUnit = {"AVX512-BF16", [] {},        [] {},      multiply, pack_pixels,
                                     pack_weights,  pack_columns, pack_pairs, write};
  static const bool usable =
      __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  return usable ? &kUnit : nullptr;
}

}  // namespace glia::cpu

#else

namespace glia::cpu {

const Bf16Unit* bf16_avx512() {
  return nullptr;
}

}  // namespace glia::cpu

#endif
