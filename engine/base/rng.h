// Counter-based random numbers (Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A number is a pure function of (seed, stream, index), so that results do not
// depend on threads, on the order of evaluation, or on where a run was resumed.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace glia {

/// One Philox block: four 32-bit words from a 64-bit key and a 128-bit counter.
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_hi,
                                              std::uint64_t counter_lo) {
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  std::array<std::uint32_t, 4> c = {
      static_cast<std::uint32_t>(counter_lo), static_cast<std::uint32_t>(counter_lo >> 32),
      static_cast<std::uint32_t>(counter_hi), static_cast<std::uint32_t>(counter_hi >> 32)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

/// Random numbers addressed by index. `stream` keeps independent uses of one seed apart.
class Random {
 public:
  constexpr Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  constexpr std::uint32_t word(std::uint64_t index) const {
    return philox(seed_, stream_, index >> 2)[index & 3];
  }
  /// Uniform in [0, 1), 24 bits: the same value in float and double.
  constexpr double uniform(std::uint64_t index) const { return (word(index) >> 8) * 0x1p-24; }
  /// Standard normal (Box–Muller on two words of one block).
  double normal(std::uint64_t index) const {
    const auto [u, v] = normal_source(index);
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }
  /// The uniform numbers u > 0 and v behind `normal`, for code that has a logarithm of its own.
  constexpr std::array<double, 2> normal_source(std::uint64_t index) const {
    const auto block = philox(seed_, stream_ ^ 0x6E6F726D616C0000u, index);
    return {(block[0] + 0.5) * 0x1p-32, block[1] * 0x1p-32};
  }

 private:
  std::uint64_t seed_, stream_;
};

/// A sequence over `Random`, for code that draws one number after another.
class Sequence {
 public:
  constexpr Sequence(std::uint64_t seed, std::uint64_t stream) : random_(seed, stream) {}

  double uniform() { return random_.uniform(next_++); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal() { return random_.normal(next_++); }
  /// Uniform integer in [0, bound); bias below 2^-32 * bound.
  std::uint64_t below(std::uint64_t bound) {
    return (std::uint64_t{random_.word(next_++)} * bound) >> 32;
  }
  bool chance(double probability) { return uniform() < probability; }

 private:
  Random random_;
  std::uint64_t next_ = 0;
};

/// Fisher–Yates shuffle that depends on `sequence` only (std::shuffle differs between libraries).
template <class T>
void shuffle(std::vector<T>& items, Sequence& sequence) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[sequence.below(i)]);
}

}  // namespace glia
