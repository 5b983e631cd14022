// Damaged and hostile TIFF and NIfTI files from a seeded generator.
#include "engine/formats/gzip.h"
#include "engine/formats/nifti.h"
#include "engine/formats/raster.h"
#include "engine/formats/volume_slices.h"
#include "tests/catch.h"
#include "tests/formats/encode.h"
#include "tests/formats/mutate.h"

using namespace glia;

namespace {

void decode_tiff_picture(const std::string& bytes) {
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

}  // namespace

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
  const Outcomes outcomes = feed(files, 2, 3000, decode_tiff_picture);
  CHECK(outcomes.read > 100);
  CHECK(outcomes.refused > 1000);
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
