// Damaged and hostile pictures and volumes from a seeded generator: decoding one returns or throws
// Error, led by its name, and nothing else. The sanitizer build makes these tests worth their time.
#include <functional>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/formats/gzip.h"
#include "engine/formats/nifti.h"
#include "engine/formats/raster.h"
#include "engine/formats/volume_slices.h"
#include "tests/catch.h"
#include "tests/formats/encode.h"

using namespace glia;

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

struct Outcomes {
  int read = 0, refused = 0;
};

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

void decode_picture(const std::string& bytes) {
  const Raster raster = decode_raster(bytes, "name");
  REQUIRE(std::ssize(raster.values) == raster.height * raster.width * raster.channels);
}

void decode_volume(const std::string& bytes) {
  const NiftiVolume volume = decode_nifti(bytes, "name");
  const VolumeSlices cut(volume.header, SlicePlane::axial, false, "name");
  REQUIRE(std::ssize(volume.values) ==
          cut.slices() * cut.height() * cut.width() * volume.header.channels);
  const std::int64_t last = cut.index(cut.slices() - 1, cut.height() - 1, cut.width() - 1);
  REQUIRE(last >= 0);
  REQUIRE(last < std::ssize(volume.values));
}

std::vector<std::uint16_t> noise(int count, int bits) {
  Sequence random(9, 1);
  std::vector<std::uint16_t> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<std::uint16_t>(random.below(std::uint64_t{1} << bits)));
  return values;
}

}  // namespace

TEST_CASE("fuzz: damaged PNG is read or refused", "[fuzz]") {
  std::vector<std::string> files;
  for (bool interlaced : {false, true})
    for (int bits : {8, 16})
      files.push_back(png_file(
          {.height = 13, .width = 17, .channels = 4, .bits = bits, .interlaced = interlaced},
          noise(13 * 17 * 4, bits)));
  files.push_back(png_file({.height = 5, .width = 9, .bits = 2, .palette = {{0, 0, 0}, {1, 2, 3}}},
                           noise(45, 1)));
  const Outcomes outcomes = feed(files, 1, 3000, decode_picture);
  CHECK(outcomes.refused > 1000);
}

TEST_CASE("fuzz: damaged TIFF is read or refused", "[fuzz]") {
  std::vector<std::string> files;
  const std::string pixels = bytes_of(noise(20 * 20 * 3, 16));
  for (int compression : {1, 5, 7, 8})
    for (bool tiled : {false, true})
      for (bool separate : {false, true}) {
        if (tiled && separate) continue;
        files.push_back(tiff_file({.height = 20,
                                   .width = 20,
                                   .channels = 3,
                                   .compression = compression,
                                   .photometric = 2,
                                   .separate = separate,
                                   .tiled = tiled,
                                   .big_endian = tiled},
                                  pixels));
      }
  files.push_back(tiff_file({.height = 20, .width = 20, .bits = 1, .compression = 4}, pixels));
  const Outcomes outcomes = feed(files, 2, 3000, decode_picture);
  CHECK(outcomes.read > 100);
  CHECK(outcomes.refused > 1000);
}

TEST_CASE("fuzz: damaged JPEG is read or refused", "[fuzz]") {
  const auto values = noise(24 * 24 * 3, 8);
  const std::vector<std::uint8_t> pixels(values.begin(), values.end());
  const Outcomes outcomes =
      feed({jpeg_file(24, 24, 3, pixels), jpeg_file(24, 24, 1, pixels)}, 3, 2000, decode_picture);
  CHECK(outcomes.refused > 500);
}

TEST_CASE("fuzz: damaged NIfTI is read or refused", "[fuzz]") {
  const std::string data = bytes_of(noise(5 * 4 * 3 * 2, 16));
  const NiftiSpec spec{.dims = {5, 4, 3, 2},
                       .datatype = 4,
                       .bits = 16,
                       .slope = 2,
                       .qform = 1,
                       .sform = 0,
                       .quatern = {0, 0, 1, 5, 5, 5}};
  NiftiSpec turned = spec;
  turned.sform = 1;
  turned.srow = {{{0, 1, 0, 0}, {-1, 0, 0, 0}, {0, 0, 2, 0}}};
  const std::vector<std::string> files{nifti_file(spec, data), nifti2_file(turned, data),
                                       swapped_nifti_file(turned, data, 2),
                                       gzip(nifti_file(turned, data))};
  const Outcomes outcomes = feed(files, 4, 6000, decode_volume);
  CHECK(outcomes.read > 1000);
  CHECK(outcomes.refused > 1000);
}
