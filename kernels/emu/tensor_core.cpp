#include "kernels/emu/tensor_core.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "kernels/emu/block.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/places.h"
#include "kernels/emu/profile.h"
#include "kernels/emu/race.h"
#include "kernels/emu/tensor_core_sum.h"

namespace glia::emu {
namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFFu;

/// What a lane brings to ldmatrix or stmatrix.
template <class Register, class Row>
struct MoveSlot {
  Register* registers;
  Row* row;
  int count;
  Site at;
};
using LoadSlot = MoveSlot<std::uint32_t, const std::byte>;
using StoreSlot = MoveSlot<const std::uint32_t, std::byte>;

template <class Slot>
void record_rows(void* const slots[kWarp]) {
  if (!race::on || !options().profile) return;
  const auto slot = [&](int lane) -> const Slot& { return *static_cast<Slot*>(slots[lane]); };
  for (int m = 0; m < slot(0).count; ++m) {
    const void* rows[8];
    for (int r = 0; r < 8; ++r) rows[r] = slot(8 * m + r).row;
    profile::record_matrix(rows, place_of(slot(0).at));
  }
}

/// Calls `move(lane's slot, m, half, address)` for the two elements of every lane in each matrix.
template <class Slot, bool transposed, class Move>
void each_element(void* const slots[kWarp], Move move) {
  const auto slot = [&](int lane) -> const Slot& { return *static_cast<Slot*>(slots[lane]); };
  for (int lane = 0; lane < kWarp; ++lane)
    for (int m = 0; m < slot(lane).count; ++m)
      for (int half = 0; half < 2; ++half) {
        const int line = lane / 4, pair = 2 * (lane % 4) + half;
        move(slot(lane), m, half,
             transposed ? slot(8 * m + pair).row + 2 * line : slot(8 * m + line).row + 2 * pair);
      }
}

template <bool transposed>
void load(void* const slots[kWarp], std::uint32_t) {
  record_rows<LoadSlot>(slots);
  each_element<LoadSlot, transposed>(
      slots, [](const LoadSlot& lane, int m, int half, const std::byte* from) {
        std::memcpy(reinterpret_cast<std::byte*>(&lane.registers[m]) + 2 * half, from, 2);
      });
}

template <bool transposed>
void store(void* const slots[kWarp], std::uint32_t) {
  record_rows<StoreSlot>(slots);
  each_element<StoreSlot, transposed>(
      slots, [](const StoreSlot& lane, int m, int half, std::byte* to) {
        std::memcpy(to, reinterpret_cast<const std::byte*>(&lane.registers[m]) + 2 * half, 2);
      });
}

void check_row(const char* name, const void* row, race::Access kind, Site at) {
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0 || !in_shared(row, 16))
    abort_launch(fmt::format("{} at {} by {}: a row must be 16 aligned bytes of shared memory",
                             name, site_name(at), current_name()));
  race::access(row, 16, kind, at, race::Count::no);
}

struct MmaSlot {
  float* d;
  const std::uint32_t* a;
  const std::uint32_t* b;
};

float bf16_of_pair(std::uint32_t pair, int which) {
  return std::bit_cast<float>(which == 0 ? pair << 16 : pair & 0xFFFF0000u);
}
float tf32(std::uint32_t bits) {
  return std::bit_cast<float>(bits & 0xFFFFE000u);
}

/// Operands [n][depth] of an mma, and which of the n are zeros all along.
template <int n, int depth>
struct Operands {
  float values[n][depth];
  bool blank[n], all_blank = true, finite = true;

  template <class At>
  explicit Operands(At at) {
    for (int i = 0; i < n; ++i) {
      std::uint32_t any = 0;
      for (int k = 0; k < depth; ++k) {
        values[i][k] = at(i, k);
        const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(values[i][k]) & 0x7FFFFFFFu;
        any |= magnitude;
        finite = finite && magnitude < 0x7F800000u;
      }
      blank[i] = any == 0;
      all_blank = all_blank && blank[i];
    }
  }
  void prepare(Operand (&prepared)[n][depth]) const {
    for (int i = 0; i < n; ++i)
      for (int k = 0; k < depth; ++k) prepared[i][k] = operand(values[i][k]);
  }
};

/// Whether each of the 16x8 sums is +0.
bool are_zero(void* const slots[kWarp]) {
  std::uint32_t any = 0;
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i)
      any |= std::bit_cast<std::uint32_t>(static_cast<const MmaSlot*>(slots[lane])->d[i]);
  return any == 0;
}

/// d += a * b for a 16x8 result; `a_at(row, k)` and `b_at(column, k)` read the operands.
template <int depth, class A, class B>
void multiply(void* const slots[kWarp], A a_at, B b_at) {
  const Operands<16, depth> left(a_at);
  const Operands<8, depth> right(b_at);
  // The margins of a tile that is wider than its matrices are zeros: times finite numbers they
  // leave a sum of +0 at +0.
  const bool finite = left.finite && right.finite;
  if (finite && (left.all_blank || right.all_blank) && are_zero(slots)) return;
  Operand a[16][depth], b[8][depth];
  left.prepare(a);
  right.prepare(b);
  const bool hopper = options().architecture >= 90;
  const int at_once = hopper ? depth : depth / 2, fraction_bits = hopper ? 25 : 24;
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      float& d = static_cast<MmaSlot*>(slots[lane])->d[i];
      if (finite && (left.blank[row] || right.blank[column]) &&
          std::bit_cast<std::uint32_t>(d) == 0)
        continue;
      for (int k = 0; k < depth; k += at_once)
        d = fused_dot_add(&a[row][k], &b[column][k], at_once, d, fraction_bits);
    }
}

}  // namespace

void ldmatrix(std::uint32_t* registers, int count, bool transposed, const void* row, Site at) {
  LoadSlot mine{registers, static_cast<const std::byte*>(row), count, at};
  if (current()->id % kWarp < 8 * count) check_row("ldmatrix", row, race::Access::read, at);
  meet(kAll, "ldmatrix", at, &mine, transposed ? load<true> : load<false>);
}

void stmatrix(void* row, int count, bool transposed, const std::uint32_t* registers, Site at) {
  StoreSlot mine{registers, static_cast<std::byte*>(row), count, at};
  if (current()->id % kWarp < 8 * count) check_row("stmatrix", row, race::Access::write, at);
  meet(kAll, "stmatrix", at, &mine, transposed ? store<true> : store<false>);
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
        [&](int column, int k) {
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
        [&](int column, int k) { return tf32(slot(4 * column + k % 4)->b[k / 4]); });
  });
}

}  // namespace glia::emu
