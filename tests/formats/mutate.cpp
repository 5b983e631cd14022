#include "tests/formats/mutate.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "tests/catch.h"

namespace glia {

namespace {

/// A sound file with some bytes overwritten, inserted, removed or cut off; more often near its
/// start, where sizes and types stand.
std::string mutate(std::string bytes, Sequence& random) {
  for (std::uint64_t edits = 1 + random.below(4); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t reach =
        random.chance(0.6) ? std::min<std::size_t>(bytes.size(), 400) : bytes.size();
    const std::size_t at = random.below(reach);
    constexpr unsigned char kTelling[] = {0, 1, 2, 0x7F, 0x80, 0xFF};
    const char byte =
        static_cast<char>(random.chance(0.5) ? random.below(256) : kTelling[random.below(6)]);
    switch (random.below(8)) {
      case 0: bytes.resize(at); break;
      case 1: bytes.insert(at, 1 + random.below(3), byte); break;
      case 2: bytes.erase(at, 1 + random.below(3)); break;
      default: bytes[at] = byte;
    }
  }
  return bytes;
}

}  // namespace

Outcomes feed(const std::vector<std::string>& files, std::uint64_t seed, int cases,
              const std::function<void(const std::string&)>& decode) {
  Sequence random(seed, 0);
  Outcomes outcomes;
  for (int i = 0; i < cases; ++i) {
    const std::string bytes = mutate(files[random.below(files.size())], random);
    try {
      decode(bytes);
      ++outcomes.read;
    } catch (const Error& error) {
      REQUIRE_THAT(error.what(), StartsWith("name: "));
      ++outcomes.refused;
    }
  }
  return outcomes;
}

std::vector<std::uint16_t> noise(int count, int bits) {
  Sequence random(9, 1);
  std::vector<std::uint16_t> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<std::uint16_t>(random.below(std::uint64_t{1} << bits)));
  return values;
}

}  // namespace glia
