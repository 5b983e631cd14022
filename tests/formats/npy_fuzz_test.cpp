// Damaged and hostile .npy files from a seeded generator: reading one returns or throws Error, and
// nothing else. The sanitizer build makes this test worth its time.
#include "engine/base/rng.h"
#include "engine/formats/npy.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

template <class T, std::size_t N>
const T& pick(Sequence& random, const T (&items)[N]) {
  return items[random.below(N)];
}

constexpr const char* kTypes[] = {"<f4", ">f8", "|u1", "|b1", "<i2", ">u4", "<f2", "|O",
                                  "<f0", "<f9", "",    "<",   "=i8", "|i8", "<U4", "x"};
constexpr const char* kExtents[] = {"0",
                                    "1",
                                    "2",
                                    "3",
                                    "-1",
                                    "1e9",
                                    "2147483648",
                                    "4294967296",
                                    "2L",
                                    "",
                                    "9223372036854775807",
                                    "18446744073709551617"};

std::string random_dictionary(Sequence& random) {
  std::string shape = "(";
  const std::uint64_t rank = random.chance(0.05) ? 40 : random.below(5);
  for (std::uint64_t i = 0; i < rank; ++i) shape += std::string(pick(random, kExtents)) + ", ";
  shape += random.chance(0.95) ? ")" : "";
  std::string text = "{";
  if (random.chance(0.95)) text += std::string("'descr': '") + pick(random, kTypes) + "', ";
  if (random.chance(0.95))
    text += std::string("'fortran_order': ") + (random.chance(0.5) ? "True, " : "False, ");
  if (random.chance(0.95)) text += "'shape': " + shape;
  return text + (random.chance(0.95) ? "}\n" : "");
}

std::string random_data(Sequence& random) {
  std::string data(random.below(100), '\0');
  for (char& c : data) c = static_cast<char>(random.below(256));
  return data;
}

std::string synthesise(Sequence& random) {
  return npy_bytes(1 + static_cast<int>(random.below(3)), random_dictionary(random),
                   random_data(random));
}

/// A sound file with some bytes overwritten, inserted, removed or cut off.
std::string mutate(Sequence& random) {
  const std::string dictionary = std::string("{'descr': '<f4', 'fortran_order': ") +
                                 (random.chance(0.5) ? "True" : "False") +
                                 ", 'shape': (2, 3, 1), }\n";
  std::string bytes =
      npy_bytes(1 + static_cast<int>(random.below(3)), dictionary, std::string(24, '\x42'));
  for (std::uint64_t edits = random.below(5); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t at = random.below(bytes.size());
    const char byte = random.chance(0.5) ? static_cast<char>(random.below(256))
                                         : pick(random, {'0', '9', '-', ',', '(', ')', '\'', '\0'});
    switch (random.below(4)) {
      case 0: bytes.resize(at); break;
      case 1: bytes.insert(at, 1 + random.below(3), byte); break;
      case 2: bytes.erase(at, 1 + random.below(3)); break;
      default: bytes[at] = byte;
    }
  }
  return bytes;
}

struct NpyOutcomes {
  int read = 0, refused = 0;
};

NpyOutcomes read_all(std::string (*make)(Sequence&), std::uint64_t seed, int cases) {
  const TempFolder folder;
  const std::filesystem::path path = folder.path() / "fuzz.npy";
  Sequence random(seed, 0);
  NpyOutcomes outcomes;
  for (int i = 0; i < cases; ++i) {
    write_bytes(path, make(random));
    try {
      const NpyArray array = read_npy(path);
      REQUIRE(static_cast<std::int64_t>(array.values.size()) == array.info.numel());
      ++outcomes.read;
    } catch (const Error& error) {
      REQUIRE_THAT(error.what(), StartsWith(path.string() + ": "));
      ++outcomes.refused;
    }
  }
  return outcomes;
}

}  // namespace

TEST_CASE("npy: synthesised headers are read or refused", "[npy][fuzz]") {
  const NpyOutcomes outcomes = read_all(synthesise, 1, 4000);
  CHECK(outcomes.read > 0);
  CHECK(outcomes.refused > 0);
}

TEST_CASE("npy: mutated files are read or refused", "[npy][fuzz]") {
  const NpyOutcomes outcomes = read_all(mutate, 2, 4000);
  CHECK(outcomes.read > 0);
  CHECK(outcomes.refused > 0);
}
