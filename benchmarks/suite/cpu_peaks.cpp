// The CPU's two limits. Arithmetic: twelve independent chains of multiply-adds a thread, more than
// any core has in flight (latency 4 or 5, two a cycle), in vectors of the instruction set that the
// kernels take too. Memory: memcpy, which bypasses the caches for large blocks.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "benchmarks/suite/cpu_peaks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "benchmarks/suite/ceilings.h"
#include "engine/base/check.h"

HWY_BEFORE_NAMESPACE();
namespace glia::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Runs the chains and returns their operations. `result` keeps the compiler from leaving them out.
double multiply_add_chains(std::int64_t rounds, float* result) {
  const hn::ScalableTag<float> d;
  const auto scale = hn::Set(d, 0.999f), shift = hn::Set(d, 0.001f);
  // Names instead of an array: a compiler that does not unroll would keep an array in memory.
  auto a = hn::Set(d, 1.0f), b = hn::Set(d, 1.1f), c = hn::Set(d, 1.2f), e = hn::Set(d, 1.3f);
  auto f = hn::Set(d, 1.4f), g = hn::Set(d, 1.5f), h = hn::Set(d, 1.6f), i = hn::Set(d, 1.7f);
  auto j = hn::Set(d, 1.8f), k = hn::Set(d, 1.9f), l = hn::Set(d, 2.0f), m = hn::Set(d, 2.1f);
  for (std::int64_t round = 0; round < rounds; ++round) {
    a = hn::MulAdd(a, scale, shift);
    b = hn::MulAdd(b, scale, shift);
    c = hn::MulAdd(c, scale, shift);
    e = hn::MulAdd(e, scale, shift);
    f = hn::MulAdd(f, scale, shift);
    g = hn::MulAdd(g, scale, shift);
    h = hn::MulAdd(h, scale, shift);
    i = hn::MulAdd(i, scale, shift);
    j = hn::MulAdd(j, scale, shift);
    k = hn::MulAdd(k, scale, shift);
    l = hn::MulAdd(l, scale, shift);
    m = hn::MulAdd(m, scale, shift);
  }
  const auto first = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(f, g));
  const auto second = hn::Add(hn::Add(hn::Add(h, i), hn::Add(j, k)), hn::Add(l, m));
  HWY_ALIGN float lanes[hn::MaxLanes(d)];
  hn::Store(hn::Add(first, second), d, lanes);
  *result = lanes[0];
  return static_cast<double>(rounds) * 12 * 2 * static_cast<double>(hn::Lanes(d));
}

}  // namespace glia::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glia::bench {

HWY_EXPORT(multiply_add_chains);

namespace {

constexpr std::int64_t kRounds = 2'000'000;  // about 5 ms
constexpr int kRepeats = 12;

/// The rates of several runs of `work`, which returns how much it did.
template <class Work>
std::vector<double> rates_of(const Work& work) {
  std::vector<double> rates;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const double done = work();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    rates.push_back(done / spent.count());
  }
  return rates;
}

}  // namespace

std::vector<double> cpu_flops(int threads) {
  std::vector<float> results(static_cast<std::size_t>(threads));
  return rates_of([&] {
    double done = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : done)
    for (int thread = 0; thread < threads; ++thread)
      done += HWY_DYNAMIC_DISPATCH(multiply_add_chains)(kRounds,
                                                        &results[static_cast<std::size_t>(thread)]);
    return done;
  });
}

namespace {

std::vector<char> block_of(std::size_t bytes) {
  try {
    return std::vector<char>(bytes, 1);
  } catch (const std::bad_alloc&) {
    fail("out of memory: the system refused {} MiB; choose a smaller --copy-mib", bytes >> 20);
  }
}

}  // namespace

std::vector<double> cpu_bandwidth(int threads, std::size_t copy_bytes) {
  const std::size_t chunk = copy_bytes / static_cast<std::size_t>(threads);
  const std::vector<char> from = block_of(copy_bytes);
  std::vector<char> to = block_of(copy_bytes);
  return rates_of([&] {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int thread = 0; thread < threads; ++thread) {
      const std::size_t first = static_cast<std::size_t>(thread) * chunk;
      std::memcpy(to.data() + first, from.data() + first, chunk);
    }
    return 2.0 * static_cast<double>(chunk) * threads;
  });
}

}  // namespace glia::bench
#endif
