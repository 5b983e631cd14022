// The bf16 unit of AMX: a product of tiles is one instruction, of 16 x 16 x 32 multiply-adds.
#include "kernels/cpu/conv/bf16_unit.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hwy/base.h>

namespace glia::cpu {

namespace {

/// By CPUID itself, as clang 14's __builtin_cpu_supports does not know AMX by name.
bool has_amx() {
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kBf16) && (edx & kTile);
}

/// The kernel gives a process room for tiles when it asks; once is enough for all threads.
bool ask_for_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

}  // namespace glia::cpu

HWY_PUSH_ATTRIBUTES("avx512f,amx-tile,amx-bf16")
namespace glia::cpu {

namespace {

struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

void begin() {
  static const TileConfig config;
  _tile_loadconfig(&config);
}

void end() {
  _tile_release();
}

// Tiles 0 to 3 are sums, [a][b]; 4 and 5 of a, 6 and 7 of b.
template <int kA, int kB>
void multiply_tiles(const Bf16Product& p) {
  constexpr long kSumsRow = kTileBlock * sizeof(float);
  float* lower = p.sums + kTileRows * kTileBlock;
  if (p.accumulate) {
    _tile_loadd(0, p.sums, kSumsRow);
    if constexpr (kB == 2) _tile_loadd(1, p.sums + 16, kSumsRow);
    if constexpr (kA == 2) _tile_loadd(2, lower, kSumsRow);
    if constexpr (kA == 2 && kB == 2) _tile_loadd(3, lower + 16, kSumsRow);
  } else {
    _tile_zero(0);
    if constexpr (kB == 2) _tile_zero(1);
    if constexpr (kA == 2) _tile_zero(2);
    if constexpr (kA == 2 && kB == 2) _tile_zero(3);
  }
  const long a_row = p.a_row * static_cast<long>(sizeof(Bf16));
  const Bf16* b = p.b;
  for (std::int64_t run = 0; run < p.run_count; ++run) {
    const Bf16* a0 = p.a[0] + p.runs[run];
    const Bf16* a1 = p.a[1] + p.runs[run];
    for (std::int64_t step = 0; step < p.run_steps; ++step) {
      _tile_loadd(6, b, 64);
      _tile_loadd(4, a0, a_row);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (kA == 2) {
        _tile_loadd(5, a1, a_row);
        _tile_dpbf16ps(2, 5, 6);
      }
      if constexpr (kB == 2) {
        _tile_loadd(7, b + p.b_tile, 64);
        _tile_dpbf16ps(1, 4, 7);
        if constexpr (kA == 2) _tile_dpbf16ps(3, 5, 7);
      }
      a0 += kTileDepth;
      a1 += kTileDepth;
      b += p.b_step;
    }
  }
  _tile_stored(0, p.sums, kSumsRow);
  if constexpr (kB == 2) _tile_stored(1, p.sums + 16, kSumsRow);
  if constexpr (kA == 2) _tile_stored(2, lower, kSumsRow);
  if constexpr (kA == 2 && kB == 2) _tile_stored(3, lower + 16, kSumsRow);
}

void multiply(const Bf16Product& p) {
  if (p.a_tiles == 2)
    p.b_tiles == 2 ? multiply_tiles<2, 2>(p) : multiply_tiles<2, 1>(p);
  else
    p.b_tiles == 2 ? multiply_tiles<1, 2>(p) : multiply_tiles<1, 1>(p);
}

}  // namespace

}  // namespace glia::cpu
HWY_POP_ATTRIBUTES

namespace glia::cpu {

const Bf16Unit* bf16_amx() {
  static const Bf16Unit* const unit = []() -> const Bf16Unit* {
    const Bf16Unit* vectors = bf16_avx512();
    if (vectors == nullptr || !has_amx() || !ask_for_tiles()) return nullptr;
    static Bf16Unit amx = *vectors;  // packing and writing are the same
    amx.name = "AMX";
    amx.begin = begin;
    amx.end = end;
    amx.multiply = multiply;
    return &amx;
  }();
  return unit;
}

}  // namespace glia::cpu

#else

namespace glia::cpu {

const Bf16Unit* bf16_amx() {
  return nullptr;
}

}  // namespace glia::cpu

#endif
