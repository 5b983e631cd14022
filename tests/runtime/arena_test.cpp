// The arena: where blocks lie, what is used again, and what happens when there is no more.
#include "engine/runtime/arena.h"

#include <cstring>
#include <map>

#include "engine/base/rng.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

constexpr std::size_t kMib = std::size_t{1} << 20, kFirst = ArenaLayout::kSmallRange;

}  // namespace

TEST_CASE("arena: a gap between blocks is used again, the smallest that is large enough",
          "[memory]") {
  ArenaLayout layout;
  const std::size_t a = layout.take(3 * kMib), b = layout.take(kMib), c = layout.take(2 * kMib),
                    d = layout.take(kMib);
  CHECK(a == kFirst);
  CHECK(b == a + 3 * kMib);
  layout.give_back(a);
  layout.give_back(c);
  CHECK(layout.take(2 * kMib) == c);
  CHECK(layout.take(kMib) == a);
  CHECK(layout.take(2 * kMib) == a + kMib);
  CHECK(layout.take(kMib) == d + kMib);
  CHECK(layout.extent() == 8 * kMib);
  CHECK(layout.live_bytes() == 8 * kMib);
}

TEST_CASE("arena: neighbouring gaps become one, and the last one the end", "[memory]") {
  ArenaLayout layout;
  const std::size_t a = layout.take(kMib), b = layout.take(kMib), c = layout.take(kMib),
                    d = layout.take(kMib);
  layout.give_back(a);
  layout.give_back(c);
  layout.give_back(b);
  CHECK(layout.take(3 * kMib) == a);
  layout.give_back(a);
  layout.give_back(d);
  CHECK(layout.take(5 * kMib) == a);
  CHECK(layout.extent() == 5 * kMib);
  CHECK(layout.peak_live_bytes() == 5 * kMib);
}

TEST_CASE("arena: a small block never lies between large ones", "[memory]") {
  ArenaLayout layout;
  const std::size_t a = layout.take(kMib), small = layout.take(10), b = layout.take(kMib);
  CHECK(small < kFirst);
  CHECK(b == a + kMib);
  CHECK(layout.take(1) == small + ArenaLayout::kAlignment);
  layout.give_back(a);
  layout.give_back(b);
  CHECK(layout.take(2 * kMib) == a);
}

TEST_CASE("arena: blocks keep their contents and never meet", "[memory]") {
  ArenaAllocator arena;
  Sequence random(5, 0);
  std::map<unsigned char*, std::pair<std::size_t, unsigned char>> live;
  const auto check_out = [&](auto it) {
    const auto [bytes, value] = it->second;
    CHECK(
        std::all_of(it->first, it->first + bytes, [v = value](unsigned char x) { return x == v; }));
    arena.release(it->first, bytes);
    return live.erase(it);
  };
  for (int i = 0; i < 300; ++i) {
    const auto bytes =
        static_cast<std::size_t>(1 + random.below(random.chance(0.3) ? 900'000 : 900));
    auto* data = static_cast<unsigned char*>(arena.allocate(bytes));
    REQUIRE(reinterpret_cast<std::uintptr_t>(data) % ArenaLayout::kAlignment == 0);
    const auto value = static_cast<unsigned char>(i);
    std::memset(data, value, bytes);
    live[data] = {bytes, value};
    if (random.chance(0.5))
      check_out(std::next(live.begin(), static_cast<std::ptrdiff_t>(random.below(live.size()))));
  }
  for (auto it = live.begin(); it != live.end();) it = check_out(it);
  CHECK(arena.layout().live_bytes() == 0);
}

TEST_CASE("arena: more than the machine has is refused, and the rest goes on", "[memory]") {
  ArenaAllocator arena;
  void* before = arena.allocate(kMib);
  CHECK_THROWS_MATCHES(arena.allocate(std::size_t{1} << 46), OutOfMemory,
                       Predicate<OutOfMemory>([](const OutOfMemory& error) {
                         return std::string_view(error.what())
                             .starts_with("out of memory: 67108866.0 MiB are needed");
                       }));
  void* after = arena.allocate(kMib);
  CHECK(after == static_cast<std::byte*>(before) + kMib);
  arena.release(after, kMib);
  arena.release(before, kMib);
}

}  // namespace glia::test
