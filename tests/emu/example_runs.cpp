#include "tests/emu/example_runs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/base/bf16.h"
#include "engine/base/rng.h"
#include "tests/emu/device_buffer.h"

namespace glia::emu_test {
namespace {

std::vector<float> random_floats(std::size_t count, std::uint64_t stream) {
  Sequence random(1, stream);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

/// The largest |a - b| / bound; infinite where either is not a number.
double worst(const std::vector<float>& found, const std::vector<double>& expected, double bound) {
  double result = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(found[i] - expected[i]) / bound;
    result = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(result, error);
  }
  return result;
}

std::size_t at(int i, int j, int columns) {
  return static_cast<std::size_t>(i) * static_cast<std::size_t>(columns) +
         static_cast<std::size_t>(j);
}

/// bf16 by truncation: every such float is exact in bf16.
std::vector<std::uint16_t> to_bf16(std::vector<float>& values) {
  std::vector<std::uint16_t> result;
  for (float& value : values) {
    const auto high = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
    result.push_back(high);
    value = std::bit_cast<float>(std::uint32_t{high} << 16);
  }
  return result;
}

double gemm(bool padded, Bug bug) {
  constexpr int M = 70, N = 136, K = 168;
  std::vector<float> a = random_floats(M * K, 1), b = random_floats(K * N, 2);
  const DeviceBuffer<std::uint16_t> da(to_bf16(a)), db(to_bf16(b));
  const DeviceBuffer<float> dc(std::size_t{M} * N);
  gemm_bf16(da.get(), db.get(), dc.get(), M, N, K, padded, bug);
  std::vector<double> c(std::size_t{M} * N);
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n)
      for (int k = 0; k < K; ++k) c[at(m, n, N)] += double{a[at(m, k, K)]} * b[at(k, n, N)];
  return worst(dc.read(), c, K * 1e-7);
}

/// Operands of ten bits of mantissa, which are exact in tf32.
std::vector<float> tf32_floats(std::size_t count, std::uint64_t stream) {
  std::vector<float> values = random_floats(count, stream);
  for (float& value : values)
    value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xFFFFE000u);
  return values;
}

double mma(MmaLayout layout, Bug bug) {
  constexpr int M = 76, N = 68, K = 148;  // several tiles and rounds of the ring, and edges of all
  const bool a_by_row = layout != MmaLayout::depths_depths,
             b_by_row = layout == MmaLayout::rows_rows;
  const std::vector<float> a = tf32_floats(M * K, 12), b = tf32_floats(K * N, 13);
  const DeviceBuffer<float> da(a), db(b), dc(std::size_t{M} * N);
  mma_product(da.get(), db.get(), dc.get(), {M, N, K, layout}, bug);
  std::vector<double> c(std::size_t{M} * N);
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n)
      for (int k = 0; k < K; ++k)
        c[at(m, n, N)] += double{a[a_by_row ? at(m, k, K) : at(k, m, M)]} *
                          b[b_by_row ? at(n, k, K) : at(k, n, N)];
  return worst(dc.read(), c, K * 1e-7);
}

double mma_bf16(MmaLayout layout, Bug bug, bool by_element = false) {
  constexpr int M = 80, N = 72, K = 304;
  const bool a_by_row = layout != MmaLayout::depths_depths,
             b_by_row = layout == MmaLayout::rows_rows;
  std::vector<float> a = random_floats(M * K, 14), b = random_floats(K * N, 15);
  const DeviceBuffer<std::uint16_t> da(to_bf16(a)), db(to_bf16(b)), dc(std::size_t{M} * N);
  mma_product_bf16(da.get(), db.get(), dc.get(), {M, N, K, layout, by_element}, bug);
  const std::vector<std::uint16_t> found = dc.read();
  double largest = 0;
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n) {
      double c = 0;
      for (int k = 0; k < K; ++k)
        c += double{a[a_by_row ? at(m, k, K) : at(k, m, M)]} *
             b[b_by_row ? at(n, k, K) : at(k, n, N)];
      // One rounding of the sum, to eight bits.
      const float result = std::bit_cast<float>(std::uint32_t{found[at(m, n, N)]} << 16);
      largest = std::max(largest, worst({result}, {c}, K * 1e-7 + 0x1p-8 * std::abs(c)));
    }
  return largest;
}

/// The worst of product(x, w), which returns windows of 3x3 by patches; x and w are exact in bf16.
/// Where x is read through a map [3, c], the windows are of what that makes.
template <class Product>
double windows3x3(const HaloShape& shape, const Product& product,
                  const std::vector<float>& map = {}) {
  const auto [H, W, C, K] = shape;
  std::vector<float> x = random_floats(at(H * W, 0, C), 16), w = random_floats(at(K * 9, 0, C), 17);
  to_bf16(x);
  to_bf16(w);
  const std::vector<float> found = product(x, w);
  for (std::size_t i = 0; !map.empty() && i < x.size(); ++i) {
    const std::size_t c = i % at(1, 0, C);
    const float mapped = std::fma(map[c], x[i], map[at(1, 0, C) + c]);
    x[i] = to_float(glia::to_bf16(std::max(mapped, map[at(2, 0, C) + c])));
  }
  std::vector<double> y(at(H * W, 0, K));
  for (int h = 0; h < H; ++h)
    for (int v = 0; v < W; ++v)
      for (int tap = 0; tap < 9; ++tap) {
        const int ih = h + tap / 3 - 1, iw = v + tap % 3 - 1;
        if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
        for (int k = 0; k < K; ++k)
          for (int c = 0; c < C; ++c)
            y[at(h * W + v, k, K)] += double{x[at(ih * W + iw, c, C)]} * w[at(k * 9 + tap, c, C)];
      }
  return worst(found, y, 9 * C * 1e-7);
}

/// By patches: edges of them, and two in turn in each of the splits.
double halo(const HaloForm& form, Bug bug) {
  const int h = form.tf32 || form.by_depth ? 3 : 9;  // under a patch, or over one
  const HaloShape shape{.h = h, .w = 17, .c = form.tf32 ? 128 : 256, .k = 40};
  return windows3x3(shape, [&](std::vector<float> x, std::vector<float> w) {
    if (form.by_depth) {
      const std::vector<float> rows = w;
      for (int k = 0; k < shape.k; ++k)
        for (int d = 0; d < 9 * shape.c; ++d) w[at(d, k, shape.k)] = rows[at(k, d, 9 * shape.c)];
    }
    const std::size_t count = at(shape.h * shape.w, 0, shape.k);
    const DeviceBuffer<float> y(kHaloSplits * count);
    if (form.tf32) {
      const DeviceBuffer<float> dx(x), dw(w);
      halo_product(dx.get(), dw.get(), y.get(), shape, form, bug);
    } else {
      const DeviceBuffer<std::uint16_t> dx(to_bf16(x)), dw(to_bf16(w));
      halo_product(dx.get(), dw.get(), y.get(), shape, form, bug);
    }
    const std::vector<float> splits = y.read();
    std::vector<float> sums(splits.begin(), splits.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = count; i < splits.size(); ++i) sums[i % count] += splits[i];
    return sums;
  });
}

}  // namespace

double run_mma_bf16_rows_rows(Bug bug) {
  return mma_bf16(MmaLayout::rows_rows, bug);
}
double run_mma_bf16_rows_depths(Bug bug) {
  return mma_bf16(MmaLayout::rows_depths, bug);
}
double run_mma_bf16_depths_depths(Bug bug) {
  return mma_bf16(MmaLayout::depths_depths, bug);
}
double run_mma_bf16_rows_by_element(Bug bug) {
  return mma_bf16(MmaLayout::rows_rows, bug, true);
}
double run_mma_bf16_depths_by_element(Bug bug) {
  return mma_bf16(MmaLayout::depths_depths, bug, true);
}

double run_mma_rows_rows(Bug bug) {
  return mma(MmaLayout::rows_rows, bug);
}
double run_mma_rows_depths(Bug bug) {
  return mma(MmaLayout::rows_depths, bug);
}
double run_mma_depths_depths(Bug bug) {
  return mma(MmaLayout::depths_depths, bug);
}

double run_batch_stats(Bug bug) {
  constexpr int rows = 500, channels = 5, chunks = 3;
  std::vector<float> x = random_floats(std::size_t{rows} * channels, 3);
  for (float& value : x) value += 100;  // where E[x^2] - E[x]^2 loses most digits
  const DeviceBuffer<float> dx(x), mean(channels), m2(channels), partials(3 * channels * chunks);
  batch_stats(dx.get(), mean.get(), m2.get(), partials.get(), rows, channels, chunks, bug);
  std::vector<double> means(channels), m2s(channels);
  for (int c = 0; c < channels; ++c) {
    const auto i = static_cast<std::size_t>(c);
    for (int r = 0; r < rows; ++r) means[i] += x[at(r, c, channels)];
    means[i] /= rows;
    for (int r = 0; r < rows; ++r) m2s[i] += std::pow(x[at(r, c, channels)] - means[i], 2);
  }
  return std::max(worst(mean.read(), means, 5e-5), worst(m2.read(), m2s, 5e-2));
}

double run_confusion(Bug bug) {
  constexpr int n = 200;
  const std::vector<float> p = random_floats(n, 4), t = random_floats(n, 5);
  const DeviceBuffer<float> dp(p), dt(t);
  const DeviceBuffer<unsigned> counts(std::vector<unsigned>(4, 0));
  confusion(dp.get(), dt.get(), counts.get(), n, bug);
  std::vector<unsigned> expected(4);
  for (std::size_t i = 0; i < n; ++i)
    ++expected[p[i] > 0.5f ? (t[i] > 0.5f ? 0 : 1) : (t[i] > 0.5f ? 2 : 3)];
  return counts.read() == expected ? 0 : 2;
}

double run_conv3x3(Bug bug) {
  constexpr int H = 13, W = 18, C = 6, K = 18;
  const std::vector<float> x = random_floats(H * W * C, 6), w = random_floats(K * 9 * C, 7);
  const DeviceBuffer<float> dx(x), dw(w), dy(std::size_t{H} * W * K);
  conv3x3(dx.get(), dw.get(), dy.get(), H, W, C, K, bug);
  std::vector<double> y(std::size_t{H} * W * K);
  for (int h = 0; h < H; ++h)
    for (int v = 0; v < W; ++v)
      for (int k = 0; k < K; ++k)
        for (int tap = 0; tap < 9; ++tap) {
          const int ih = h + tap / 3 - 1, iw = v + tap % 3 - 1;
          if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
          for (int c = 0; c < C; ++c)
            y[at(h * W + v, k, K)] += double{x[at(ih * W + iw, c, C)]} * w[at(k * 9 + tap, c, C)];
        }
  return worst(dy.read(), y, 9 * C * 1e-7);
}

double run_gemm_bf16(Bug bug) {
  return gemm(true, bug);
}
double run_gemm_bf16_unpadded(Bug bug) {
  return gemm(false, bug);
}

double run_mma_tf32(Bug) {
  const std::vector<float> a = random_floats(128, 8), b = random_floats(64, 9);
  const DeviceBuffer<float> da(a), db(b), dd(128);
  mma_tf32(da.get(), db.get(), dd.get());
  std::vector<double> d(128);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j)
      for (int k = 0; k < 8; ++k) d[at(i, j, 8)] += double{a[at(i, k, 8)]} * b[at(k, j, 8)];
  return worst(dd.read(), d, 8 * 0x1p-10);  // two operands of 11 bits each
}

double run_halo(Bug bug) {
  return halo({}, bug);
}
double run_halo_by_depth(Bug bug) {
  return halo({.by_depth = true}, bug);
}
double run_halo_tf32(Bug bug) {
  return halo({.tf32 = true}, bug);
}
double run_halo_tf32_by_depth(Bug bug) {
  return halo({.tf32 = true, .by_depth = true}, bug);
}

double run_shallow(Bug bug) {
  const HaloShape shape{.h = 9, .w = 17, .c = 3, .k = 72};
  return windows3x3(shape, [&](std::vector<float> x, std::vector<float> w) {
    const DeviceBuffer<std::uint16_t> dx(to_bf16(x)), dw(to_bf16(w));
    const DeviceBuffer<float> y(at(shape.h * shape.w, 0, shape.k));
    shallow_product(dx.get(), dw.get(), y.get(), shape, bug);
    return y.read();
  });
}

double run_tile_moments(Bug bug) {
  constexpr int rows = 70 + 2 * kMomentRows, columns = 58, tiles = 3;  // rows of one warp and a bit
  std::vector<float> x = random_floats(std::size_t{rows} * columns, 20);
  for (float& value : x) value += 100;  // where E[x^2] - E[x]^2 loses most digits
  const DeviceBuffer<float> dx(x), parts((2 * columns + 1) * tiles), scratch(tiles);
  tile_moments(dx.get(), parts.get(), scratch.get(), rows, columns, bug);
  const std::vector<float> found = parts.read();
  double largest = 0;
  for (int tile = 0; tile < tiles; ++tile) {
    const int begin = tile * kMomentRows, end = std::min(rows, begin + kMomentRows);
    const int count = end - begin;
    largest = std::max(
        largest, worst({found[at(2 * columns, tile, tiles)]}, {static_cast<double>(count)}, 0.5));
    for (int c = 0; c < columns; ++c) {
      double mean = 0, squares = 0;
      for (int r = begin; r < end; ++r) mean += x[at(r, c, columns)] / count;
      for (int r = begin; r < end; ++r) squares += std::pow(x[at(r, c, columns)] - mean, 2);
      largest = std::max(largest, worst({found[at(c, tile, tiles)]}, {mean}, 2e-5));
      largest = std::max(largest, worst({found[at(columns + c, tile, tiles)]}, {squares}, 1e-4));
    }
  }
  return largest;
}

double run_halo_mapped(Bug bug) {
  const HaloShape shape{.h = 9, .w = 17, .c = 128, .k = 40};
  std::vector<float> map = random_floats(at(2, 0, shape.c), 20);
  for (std::size_t i = at(1, 0, shape.c); i < map.size(); ++i) map[i] += 0.5f;
  map.resize(at(3, 0, shape.c), 0.0f);
  return windows3x3(
      shape,
      [&](std::vector<float> x, std::vector<float> w) {
        const DeviceBuffer<std::uint16_t> dx(to_bf16(x)), dw(to_bf16(w));
        const DeviceBuffer<float> dmap(map), y(at(shape.h * shape.w, 0, shape.k));
        halo_mapped(dx.get(), dmap.get(), dw.get(), y.get(), shape, bug);
        return y.read();
      },
      map);
}

double run_halo_wgrad(Bug bug) {
  constexpr int H = 16, W = 17, C = 64, K = 64;  // edges of patches, two stages in turn
  std::vector<float> dy = random_floats(H * W * K, 18), x = random_floats(H * W * C, 19);
  const DeviceBuffer<std::uint16_t> ddy(to_bf16(dy)), dx(to_bf16(x));
  const DeviceBuffer<float> ddw(std::size_t{K} * 9 * C);
  halo_wgrad(ddy.get(), dx.get(), ddw.get(), {H, W, C, K}, bug);
  std::vector<double> dw(std::size_t{K} * 9 * C);
  for (int h = 0; h < H; ++h)
    for (int v = 0; v < W; ++v)
      for (int tap = 0; tap < 9; ++tap) {
        const int ih = h + tap / 3 - 1, iw = v + tap % 3 - 1;
        if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
        for (int k = 0; k < K; ++k)
          for (int c = 0; c < C; ++c)
            dw[at(k * 9 + tap, c, C)] += double{dy[at(h * W + v, k, K)]} * x[at(ih * W + iw, c, C)];
      }
  return worst(ddw.read(), dw, H * W * 1e-7);
}

double run_row_sums_ring(Bug bug) {
  constexpr int rows = 17, columns = 76;
  const std::vector<float> x = random_floats(rows * columns, 10);
  const DeviceBuffer<float> dx(x), dy(rows);
  row_sums_ring(dx.get(), dy.get(), rows, columns, bug);
  std::vector<double> y(rows);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) y[static_cast<std::size_t>(r)] += x[at(r, c, columns)];
  return worst(dy.read(), y, columns * 1e-7);
}

double run_bf16_update(Bug bug) {
  constexpr int n = 8 * 70;
  const auto rounded = [](std::uint64_t stream) {
    std::vector<Bf16> values;
    for (const float value : random_floats(n, stream)) values.push_back(glia::to_bf16(value));
    return values;
  };
  const std::vector<Bf16> a = rounded(14), b = rounded(15), y = rounded(16);
  const std::vector<float> w = random_floats(n, 17);
  const DeviceBuffer<Bf16> da(a), db(b), dy(y), dshadow(n);
  const DeviceBuffer<float> dw(w);
  bf16_update(da.get(), db.get(), dw.get(), dshadow.get(), dy.get(), n, bug);
  const std::vector<Bf16> new_y = dy.read(), shadow = dshadow.read();
  const std::vector<float> new_w = dw.read();
  bool right = true;
  for (std::size_t i = 0; i < n; ++i) {
    const float product = to_float(a[i]) * to_float(b[i]);
    right = right && new_w[i] == w[i] + product && shadow[i].bits == glia::to_bf16(new_w[i]).bits &&
            new_y[i].bits == glia::to_bf16(to_float(y[i]) + product).bits;
  }
  return right ? 0 : 2;
}

}  // namespace glia::emu_test
