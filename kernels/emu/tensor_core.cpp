#include "kernels/emu/tensor_core.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "kernels/emu/block.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/places.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race.h"

namespace glia::emu {
namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFFu;

struct LoadSlot {
  std::uint32_t* registers;
  const void* row;
  int count;
  Site at;
};

std::uint16_t element(const void* row, int column) {
  std::uint16_t value;
  std::memcpy(&value, static_cast<const std::byte*>(row) + 2 * column, sizeof value);
  return value;
}

template <bool transposed>
void load(void* const slots[kWarp], std::uint32_t) {
  const auto slot = [&](int lane) -> const LoadSlot& {
    return *static_cast<LoadSlot*>(slots[lane]);
  };
  for (int m = 0; m < slot(0).count && race::on && options().profile; ++m) {
    const void* rows[8];
    for (int r = 0; r < 8; ++r) rows[r] = slot(8 * m + r).row;
    profile::record_matrix(rows, place_of(slot(0).at));
  }
  for (int lane = 0; lane < kWarp; ++lane)
    for (int m = 0; m < slot(lane).count; ++m) {
      const int line = lane / 4, pair = 2 * (lane % 4);
      const auto at = [&](int r, int c) { return element(slot(8 * m + r).row, c); };
      const std::uint32_t low = transposed ? at(pair, line) : at(line, pair);
      const std::uint32_t high = transposed ? at(pair + 1, line) : at(line, pair + 1);
      slot(lane).registers[m] = low | high << 16;
    }
}

struct MmaSlot {
  float* d;
  const std::uint32_t* a;
  const std::uint32_t* b;
};

double bf16(std::uint32_t bits) {
  return std::bit_cast<float>(bits << 16);
}
double bf16_of_pair(std::uint32_t pair, int which) {
  return bf16(which == 0 ? pair & 0xFFFFu : pair >> 16);
}
double tf32(std::uint32_t bits) {
  return std::bit_cast<float>(bits & 0xFFFFE000u);
}

/// d += a * b for a 16x8 result; `a_at(row, k)` and `b_at(k, column)` read the operands.
template <int depth, class A, class B>
void multiply(void* const slots[kWarp], A a_at, B b_at) {
  double a[16][depth], b[depth][8];
  for (int k = 0; k < depth; ++k) {
    for (int row = 0; row < 16; ++row) a[row][k] = a_at(row, k);
    for (int column = 0; column < 8; ++column) b[k][column] = b_at(k, column);
  }
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      float& d = static_cast<MmaSlot*>(slots[lane])->d[i];
      double sum = d;
      for (int k = 0; k < depth; ++k) sum += a[row][k] * b[k][column];
      d = static_cast<float>(sum);
    }
}

}  // namespace

void ldmatrix(std::uint32_t* registers, int count, bool transposed, const void* row, Site at) {
  const int lane = current()->id % kWarp;
  LoadSlot mine{registers, row, count, at};
  if (lane < 8 * count) {
    if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0 || !in_shared(row, 16))
      abort_launch(
          fmt::format("ldmatrix at {} by {}: a row must be 16 aligned bytes of "
                      "shared memory",
                      site_name(at), current_name()));
    race::access(row, 16, race::Access::read, at, race::Count::no);
  }
  meet(kAll, "ldmatrix", at, &mine, transposed ? load<true> : load<false>);
}

void mma_bf16_m16n8k16(float* d, const std::uint32_t* a, const std::uint32_t* b, Site at) {
  MmaSlot mine{d, a, b};
  meet(kAll, "mma.m16n8k16.bf16", at, &mine, [](void* const slots[kWarp], std::uint32_t) {
    const auto slot = [&](int lane) { return static_cast<const MmaSlot*>(slots[lane]); };
    // Lane 4g + t holds rows g and g + 8, columns 2t, 2t + 1 and those plus 8, of a.
    multiply<16>(
        slots,
        [&](int row, int k) {
          const int index = row / 8 + 2 * (k / 8);
          return bf16_of_pair(slot(4 * (row % 8) + k % 8 / 2)->a[index], k % 2);
        },
        [&](int k, int column) {
          return bf16_of_pair(slot(4 * column + k % 8 / 2)->b[k / 8], k % 2);
        });
  });
}

void mma_tf32_m16n8k8(float* d, const std::uint32_t* a, const std::uint32_t* b, Site at) {
  MmaSlot mine{d, a, b};
  meet(kAll, "mma.m16n8k8.tf32", at, &mine, [](void* const slots[kWarp], std::uint32_t) {
    const auto slot = [&](int lane) { return static_cast<const MmaSlot*>(slots[lane]); };
    multiply<8>(
        slots,
        [&](int row, int k) { return tf32(slot(4 * (row % 8) + k % 4)->a[row / 8 + 2 * (k / 4)]); },
        [&](int k, int column) { return tf32(slot(4 * column + k % 4)->b[k / 4]); });
  });
}

}  // namespace glia::emu
