// The cache of the cuDNN backend's plans, without cuDNN, and the padding that its plans are told.
#include "kernels/cudnn/plan_cache.h"

#include <cstdint>
#include <new>
#include <stdexcept>
#include <vector>

#include "kernels/cudnn/padding.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

/// Counts how many of them exist.
struct FakePlan {
  explicit FakePlan(int n) : number(n) { ++alive; }
  ~FakePlan() { --alive; }
  FakePlan(const FakePlan&) = delete;
  FakePlan& operator=(const FakePlan&) = delete;
  int number;
  static inline int alive = 0;
};

using Cache = cudnn::PlanCache<int, FakePlan>;
using Built = cudnn::Built<FakePlan>;

/// The number of the plan of `key`, built from `key` itself where there is none; -1 without one.
int number_of(Cache& cache, int key) {
  const Built& built = cache.get(key, [key] { return Built{std::make_unique<FakePlan>(key), {}}; });
  return built.plan ? built.plan->number : -1;
}

}  // namespace

TEST_CASE("plan cache: a plan is built at the first request only", "[cuda]") {
  Cache cache(4);
  int builds = 0;
  const auto build = [&] {
    ++builds;
    return Built{std::make_unique<FakePlan>(7), {}};
  };
  const FakePlan* first = cache.get(1, build).plan.get();
  REQUIRE(first != nullptr);
  CHECK(cache.get(1, build).plan.get() == first);
  CHECK(first->number == 7);
  CHECK(builds == 1);
  CHECK(cache.hits() == 1);
  CHECK(cache.misses() == 1);
  CHECK(cache.get(2, build).plan.get() != first);
  CHECK(builds == 2);
}

TEST_CASE("plan cache: the least recently used entry makes room", "[cuda]") {
  {
    Cache cache(3);
    for (int key : {1, 2, 3, 1, 4}) CHECK(number_of(cache, key) == key);  // 2 goes
    CHECK(cache.evictions() == 1);
    CHECK(FakePlan::alive == 3);
    std::vector<int> order;
    cache.each([&](const Built& built) { order.push_back(built.plan->number); });
    CHECK(order == std::vector<int>{4, 1, 3});
    const std::size_t misses = cache.misses();
    for (int key : {3, 1, 4}) CHECK(number_of(cache, key) == key);
    CHECK(cache.misses() == misses);
    CHECK(number_of(cache, 2) == 2);
    CHECK(cache.misses() == misses + 1);
  }
  CHECK(FakePlan::alive == 0);
}

TEST_CASE("plan cache: no capacity counts as one entry", "[cuda]") {
  Cache cache(0);
  for (int key : {1, 2, 2}) CHECK(number_of(cache, key) == key);
  CHECK(cache.size() == 1);
  CHECK(cache.hits() == 1);
}

TEST_CASE("plan cache: a failure that the builder returns is kept", "[cuda]") {
  Cache cache(2);
  int builds = 0;
  const auto build = [&] {
    ++builds;
    return Built{nullptr, "no engine for this"};
  };
  for (int i = 0; i < 3; ++i) {
    const Built& built = cache.get(1, build);
    CHECK(built.plan == nullptr);
    CHECK(built.problem == "no engine for this");
  }
  CHECK(builds == 1);
  for (int key : {2, 3}) number_of(cache, key);  // it is evicted like a plan
  CHECK(cache.get(1, build).problem == "no engine for this");
  CHECK(builds == 2);
}

TEST_CASE("plan cache: what a builder throws is reported and forgotten", "[cuda]") {
  Cache cache(2);
  number_of(cache, 5);
  const auto throws = []() -> Built { throw std::runtime_error("the driver is gone"); };
  CHECK(cache.get(1, throws).problem == "the driver is gone");
  CHECK(cache.get(1, []() -> Built { throw std::bad_alloc(); }).plan == nullptr);
  CHECK(cache.get(1, []() -> Built { throw 3; }).problem == "failed without saying why");
  CHECK(cache.size() == 1);
  CHECK(number_of(cache, 1) == 1);
  CHECK(number_of(cache, 5) == 5);
  CHECK(cache.hits() == 1);
}

TEST_CASE("plan cache: never more than its capacity, over 10,000 keys", "[cuda]") {
  {
    constexpr int kKeys = 10000, kCapacity = 64;
    Cache cache(kCapacity);
    for (int key = 0; key < kKeys; ++key) {
      REQUIRE(number_of(cache, key) == key);
      REQUIRE(cache.size() <= kCapacity);
      REQUIRE(FakePlan::alive <= kCapacity);
    }
    CHECK(cache.evictions() == kKeys - kCapacity);
    for (int key = kKeys - kCapacity; key < kKeys; ++key) REQUIRE(number_of(cache, key) == key);
    CHECK(cache.hits() == kCapacity);
  }
  CHECK(FakePlan::alive == 0);
}

TEST_CASE("padding after the image: as in front where that fits, else the least", "[cuda]") {
  using cudnn::padding_after;
  CHECK(padding_after(240, 3, 1, 1, 240) == 1);
  CHECK(padding_after(6, 2, 1, 0, 6) == 1);  // "same" for an even window
  CHECK(padding_after(10, 3, 3, 1, 4) == 1);
  CHECK(padding_after(6, 2, 3, 0, 2) == 0);   // the last row lies in no window
  CHECK(padding_after(10, 3, 2, 1, 5) == 1);  // 0 would do too: equal paddings come first
  CHECK(padding_after(4, 3, 1, 0, 4) == 2);
  CHECK(padding_after(4, 3, 1, 1, 3) == 0);
  // Whatever is chosen, it must give the extent that was asked for.
  for (std::int64_t extent = 1; extent <= 9; ++extent)
    for (std::int64_t window = 1; window <= 5; ++window)
      for (std::int64_t stride = 1; stride <= 3; ++stride)
        for (std::int64_t before = 0; before <= 2; ++before)
          for (std::int64_t after = 0; after <= 3; ++after) {
            const std::int64_t padded = extent + before + after;
            if (padded < window) continue;
            const std::int64_t out = (padded - window) / stride + 1;
            const std::int64_t chosen = padding_after(extent, window, stride, before, out);
            REQUIRE(chosen >= 0);
            REQUIRE((extent + before + chosen - window) / stride + 1 == out);
          }
}

}  // namespace glia::test
