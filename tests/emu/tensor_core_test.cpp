// What tensor cores and packed bf16 instructions compute, to the bit.
#include "kernels/emu/tensor_core_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/base/rng.h"
#include "kernels/emu/emu.h"
#include "tests/catch.h"
#include "tests/emu/device_buffer.h"
#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {
namespace {

std::uint32_t bits(float x) {
  return std::bit_cast<std::uint32_t>(x);
}

/// Terms of a sum: products a * b and c.
struct Dot {
  std::vector<float> a, b;
  float c = 0;
};

float sum(const Dot& dot, int fraction_bits) {
  emu::Operand a[16], b[16];
  for (std::size_t i = 0; i < dot.a.size(); ++i) {
    a[i] = emu::operand(dot.a[i]);
    b[i] = emu::operand(dot.b[i]);
  }
  return emu::fused_dot_add(a, b, static_cast<int>(dot.a.size()), dot.c, fraction_bits);
}

/// A finite float as integer * 2^scale, and the exponent that hardware aligns by.
struct Parts {
  std::int64_t integer;
  int scale, exponent;
};
Parts parts(float x) {
  const std::uint32_t field = bits(x) >> 23 & 0xFF, fraction = bits(x) & 0x7FFFFF;
  const auto magnitude = static_cast<std::int64_t>(field ? fraction | 0x800000 : fraction);
  const int exponent = field ? static_cast<int>(field) - 127 : -126;
  return {std::signbit(x) ? -magnitude : magnitude, exponent - 23, exponent};
}

/// The same rule in integers. Exponents of inputs must lie between -60 and 60.
float sum_in_integers(const Dot& dot, int fraction_bits) {
  std::vector<Parts> terms{parts(dot.c)};
  for (std::size_t i = 0; i < dot.a.size(); ++i) {
    const Parts x = parts(dot.a[i]), y = parts(dot.b[i]);
    terms.push_back({x.integer * y.integer, x.scale + y.scale, x.exponent + y.exponent});
  }
  int top = -1000;
  for (const Parts& term : terms) top = std::max(top, term.exponent);
  std::int64_t total = 0;
  for (const Parts& term : terms) {
    const int shift = term.scale - (top - fraction_bits);
    const std::int64_t magnitude = std::abs(term.integer);
    const std::int64_t aligned = shift >= 0    ? magnitude << shift
                                 : shift > -63 ? magnitude >> -shift
                                               : 0;
    total += term.integer < 0 ? -aligned : aligned;
  }
  std::int64_t magnitude = std::abs(total);
  int exponent = top - fraction_bits;
  for (; magnitude >= 1 << 24; magnitude >>= 1) ++exponent;
  const double result = std::ldexp(static_cast<double>(magnitude), exponent);
  return static_cast<float>(total < 0 ? -result : result);
}

float random_bf16(Sequence& random, int spread) {
  const double x = random.uniform(-2, 2) * std::exp2(random.below(spread) - spread / 2.0);
  return std::bit_cast<float>(bits(static_cast<float>(x)) & 0xFFFF0000u);
}

}  // namespace

TEST_CASE("tensor cores align, truncate and add as measured on GPUs", "[emu]") {
  const float tiny = 0x1p-25f;
  CHECK(sum({{1, tiny}, {1, 1}, -1}, 25) == tiny);  // the last bit that Hopper keeps
  CHECK(sum({{1, tiny}, {1, 1}, -1}, 24) == 0);     // Ampere keeps one less
  CHECK(sum({{1, tiny / 2}, {1, 1}, -1}, 25) == 0);
  CHECK(sum({{-tiny / 2}, {1}, 1}, 25) == 1);              // truncated towards zero, term by term
  CHECK(sum({{1.5f, tiny}, {1.5f, 1}, -2.25f}, 25) == 0);  // c aligns by 1, the product by 0
  CHECK(sum({{1.5f, -1.125f, tiny}, {1.5f, 2, 1}, 0}, 24) == 0);
  CHECK(sum({{0x1p100f}, {0x1p27f}, 0x1p127f}, 25) == std::numeric_limits<float>::infinity());
  CHECK(sum({{0x1p100f}, {0x1p27f}, -0x1p127f}, 25) == 0);
  CHECK(bits(sum({{0}, {1}, -0.0f}, 25)) == 0);
  // A zero aligns by -126, so that it counts where the other factor is huge.
  CHECK(sum({{0}, {0x1p127f}, 0x1p-30f}, 25) == 0);
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(sum({{1}, {inf}, 3}, 25) == inf);
  CHECK(bits(sum({{0}, {inf}, 3}, 25)) == 0x7FFFFFFFu);
  CHECK(bits(sum({{1, 1}, {inf, -inf}, 3}, 25)) == 0x7FFFFFFFu);
}

TEST_CASE("tensor cores' sums agree with the same rule in integers", "[emu]") {
  Sequence random(3, 1);
  for (int i = 0; i < 20000; ++i) {
    const int spread = 1 + static_cast<int>(random.below(40));
    Dot dot;
    for (int k = 0; k < 16; ++k) {
      dot.a.push_back(random_bf16(random, spread));
      dot.b.push_back(random_bf16(random, spread));
    }
    dot.c = static_cast<float>(random.uniform(-1, 1));
    const int fraction_bits = i % 2 ? 25 : 24;
    const float found = sum(dot, fraction_bits), expected = sum_in_integers(dot, fraction_bits);
    INFO("sum " << i << ", spread " << spread);
    REQUIRE(bits(found) == bits(expected));
  }
}

TEST_CASE("mma sums at once on Hopper and in two halves on Ampere", "[emu]") {
  std::vector<std::uint16_t> a(16 * 16), b(8 * 16);
  std::vector<float> fa(a.size()), fb(b.size()), c(16 * 8);
  Sequence random(3, 2);
  for (std::size_t i = 0; i < a.size(); ++i) {
    fa[i] = random_bf16(random, 12);
    a[i] = static_cast<std::uint16_t>(bits(fa[i]) >> 16);
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    fb[i] = random_bf16(random, 12);
    b[i] = static_cast<std::uint16_t>(bits(fb[i]) >> 16);
  }
  for (float& x : c) x = static_cast<float>(random.uniform(-1, 1));
  std::vector<std::vector<float>> results;
  for (const int architecture : {80, 90}) {
    emu::options() = {};
    emu::options().architecture = architecture;
    const DeviceBuffer<std::uint16_t> da(a), db(b);
    const DeviceBuffer<float> dc(c), dd(c.size());
    mma_bf16(da.get(), db.get(), dc.get(), dd.get());
    const std::vector<float> d = dd.read();
    for (std::size_t m = 0; m < 16; ++m)
      for (std::size_t n = 0; n < 8; ++n) {
        const auto begin = [&](const std::vector<float>& x, std::size_t row, std::size_t k) {
          return x.begin() + static_cast<std::ptrdiff_t>(row * 16 + k);
        };
        const auto part = [&](std::size_t from, std::size_t to, float start) {
          return Dot{{begin(fa, m, from), begin(fa, m, to)},
                     {begin(fb, n, from), begin(fb, n, to)},
                     start};
        };
        const float start = c[m * 8 + n];
        const float expected =
            architecture == 90
                ? sum_in_integers(part(0, 16, start), 25)
                : sum_in_integers(part(8, 16, sum_in_integers(part(0, 8, start), 24)), 24);
        CHECK(bits(d[m * 8 + n]) == bits(expected));
      }
    results.push_back(d);
  }
  emu::options() = {};
  CHECK(results[0] != results[1]);  // or the two could not be told apart
}

TEST_CASE("mma sums rows and columns of zeros as any others", "[emu]") {
  // Row 3 and column 5 are zeros, row 7 large enough to displace a small c. Then an operand of row
  // 2 or of column 6 is infinite, which times zero gives NaN, and last that of row 2 with nothing
  // but zeros in b and c.
  std::vector<float> fa(16 * 16), fb(8 * 16), c(16 * 8);
  Sequence random(3, 4);
  for (std::size_t i = 0; i < fa.size(); ++i)
    fa[i] = i / 16 == 3 ? 0 : random_bf16(random, 4) * (i / 16 == 7 ? 0x1p100f : 1);
  for (std::size_t i = 0; i < fb.size(); ++i) fb[i] = i / 16 == 5 ? 0 : random_bf16(random, 4);
  const float starts[] = {0, -0.0f, 0x1p-70f, 1.5f};
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = starts[(i / 8 + i % 8) % 4];
  c[7 * 8 + 5] = 0x1p-70f;
  c[2 * 8 + 5] = c[3 * 8 + 6] = 0;
  emu::options() = {};
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  int nans = 0, displaced = 0;
  for (const int turn : {0, 1, 2, 3}) {
    std::vector<float> xa = fa, xb = fb;
    if (turn == 1 || turn == 3) xa[2 * 16 + 9] = kInfinite;
    if (turn == 2) xb[6 * 16 + 1] = kInfinite;
    if (turn == 3) {
      std::fill(xb.begin(), xb.end(), 0.0f);
      std::fill(c.begin(), c.end(), 0.0f);
    }
    const auto narrow = [](const std::vector<float>& x) {
      std::vector<std::uint16_t> result;
      for (const float value : x) result.push_back(static_cast<std::uint16_t>(bits(value) >> 16));
      return result;
    };
    const DeviceBuffer<std::uint16_t> da(narrow(xa)), db(narrow(xb));
    const DeviceBuffer<float> dc(c), dd(c.size());
    mma_bf16(da.get(), db.get(), dc.get(), dd.get());
    const std::vector<float> d = dd.read();
    for (std::ptrdiff_t m = 0; m < 16; ++m)
      for (std::ptrdiff_t n = 0; n < 8; ++n) {
        const auto at = static_cast<std::size_t>(m * 8 + n);
        const Dot dot{{xa.begin() + m * 16, xa.begin() + m * 16 + 16},
                      {xb.begin() + n * 16, xb.begin() + n * 16 + 16},
                      c[at]};
        INFO("turn " << turn << ", row " << m << ", column " << n);
        CHECK(bits(d[at]) == bits(sum(dot, 25)));
        nans += std::isnan(d[at]);
        displaced += n == 5 && c[at] != 0 && d[at] == 0;
      }
  }
  CHECK(nans >= 10);      // row 2 on column 5, row 3 on column 6, row 2 on all columns
  CHECK(displaced >= 1);  // or the sum could have been left out there
}

TEST_CASE("stmatrix stores what ldmatrix would load", "[emu]") {
  emu::options() = {};
  for (const int matrices : {1, 2, 4})
    for (const bool transposed : {false, true}) {
      const DeviceBuffer<std::uint16_t> out(256);
      stmatrix(out.get(), matrices, transposed);
      const auto found = out.read();
      for (std::size_t row = 0; row < 32; ++row)
        for (std::size_t column = 0; column < 8; ++column) {
          const std::size_t m = row / 8, r = row % 8;
          const std::size_t element = transposed ? 8 * column + r : 8 * r + column;
          const std::size_t expected =
              static_cast<int>(m) < matrices ? 64 * m + element : std::size_t{0xFFFF};
          INFO("x" << matrices << ", transposed " << transposed << ", row " << row << ", column "
                   << column);
          CHECK(found[row * 8 + column] == expected);
        }
    }
}

}  // namespace glia::emu_test
