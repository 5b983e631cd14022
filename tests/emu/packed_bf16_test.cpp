// Two bf16 values in one register: rounding, NaN, zeros, against exact sums.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/base/rng.h"
#include "kernels/emu/emu.h"
#include "tests/catch.h"
#include "tests/emu/device_buffer.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

float value(std::uint32_t bf16) {
  return std::bit_cast<float>(bf16 << 16);
}

/// The bf16 nearest to an exact value, ties to even, by trying neighbours.
std::uint32_t nearest(long double x) {
  const auto start = std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16;
  std::uint32_t best = start;
  for (const std::uint32_t candidate : {start - 1, start, start + 1}) {
    if ((candidate & 0x7F80) == 0x7F80) continue;
    const long double error = std::abs(value(candidate) - x), least = std::abs(value(best) - x);
    if (error < least || (error == least && candidate % 2 == 0)) best = candidate;
  }
  return best;
}

std::vector<std::uint32_t> run(const std::vector<float>& x, const std::vector<std::uint32_t>& abc) {
  emu::options() = {};
  const DeviceBuffer<float> dx(x);
  const DeviceBuffer<std::uint32_t> dabc(abc), out(2 * x.size());
  packed_bf16(dx.get(), dabc.get(), out.get(), static_cast<int>(x.size() / 2));
  return out.read();
}

}  // namespace

TEST_CASE("packed bf16 arithmetic rounds once, to nearest even", "[emu]") {
  Sequence random(5, 1);
  constexpr std::size_t n = 4000;
  const auto number = [&](double spread) {
    return static_cast<float>(random.uniform(-1, 1) * std::exp2(random.uniform(-spread, spread)));
  };
  std::vector<float> x(2 * n);
  for (float& v : x) v = number(30);
  std::vector<std::uint32_t> abc(3 * n);
  for (std::uint32_t& v : abc) v = nearest(number(8)) | nearest(number(8)) << 16;
  const auto found = run(x, abc);
  for (std::size_t i = 0; i < n; ++i) {
    const auto half = [](std::uint32_t pair, int which) {
      return which == 0 ? pair & 0xFFFF : pair >> 16;
    };
    for (int h = 0; h < 2; ++h) {
      const float v = x[2 * i + static_cast<std::size_t>(h)];
      INFO("pair " << i << ", half " << h);
      CHECK(half(found[4 * i], h) == nearest(v));
      CHECK(half(found[4 * i + 1], h) == (v > 0 ? nearest(v) : 0));
      const float a = value(half(abc[3 * i], h)), b = value(half(abc[3 * i + 1], h)),
                  c = value(half(abc[3 * i + 2], h));
      const long double exact = static_cast<long double>(a) * b + c;
      CHECK(half(found[4 * i + 2], h) == (exact > 0 ? nearest(exact) : 0));
      CHECK(value(half(found[4 * i + 3], h)) == std::max(a, b));
    }
  }
}

TEST_CASE("packed bf16 arithmetic on NaN, zeros and what is tiny beside", "[emu]") {
  const std::uint32_t nan = 0x7FC1, canonical = 0x7FFF, one = 0x3F80, minus = 0xBF80,
                      minus_zero = 0x8000, inf = 0x7F80;
  const float not_a_number = std::bit_cast<float>(0xFFC00000u);
  const auto both = [](std::uint32_t low, std::uint32_t high) { return low | high << 16; };
  // 7 * 37 is halfway between 258 and 260, the even one; -2^-100 tips it, far below double's bits.
  const std::uint32_t seven = 0x40E0, thirty_seven = 0x4214, far_below = 0x8D80;
  const auto found = run({not_a_number, -0.0f, 3e38f, 3.4e38f, -1.0f, 1.0f, 1.0f, 1.0f},
                         {both(nan, one), both(one, nan), both(one, one),                   //
                          both(minus_zero, 0), both(0, minus_zero), both(minus_zero, one),  //
                          both(nan, minus), both(nan, one), both(one, one),                 //
                          both(seven, inf), both(thirty_seven, one), both(far_below, minus)});
  CHECK(found[0] == both(canonical, minus_zero));
  CHECK(found[1] == both(canonical, 0));
  CHECK(found[2] == both(canonical, canonical));
  CHECK(found[3] == both(one, one));  // where one is NaN the other
  CHECK(found[4] == both(0x7F62, inf));
  CHECK(found[6] == both(0, one));
  CHECK(found[7] == both(0, 0));  // +0 is larger than -0
  CHECK(found[8] == both(minus, one));
  CHECK(found[9] == both(0, one));
  CHECK(found[10] == both(canonical, 0));
  CHECK(found[11] == both(canonical, one));
  CHECK(found[14] == both(0x4381, inf));  // 258
}

}  // namespace glia::emu_test
