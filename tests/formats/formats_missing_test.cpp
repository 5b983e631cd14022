// A build without the formats' libraries names the flag of a build that has them. That such a build
// reads these files is what its own tests say (tests/formats/nifti_test.cpp, raster_tiff_test.cpp).
#include "engine/formats/nifti_header.h"
#include "engine/formats/raster.h"
#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

TEST_CASE("formats: TIFF and NIfTI are told to need another build", "[raster]") {
  const std::string advice =
      "f: this glia was built without TIFF and NIfTI; build it with -DGLIA_FORMATS=ON";
  for (const std::string& tiff :
       {std::string("II*\0\x08\0\0\0", 8), std::string("MM\0*\0\0\0\x08", 8)})
    CHECK(error_of([&] { decode_raster(tiff, "f"); }) == advice);
  CHECK(error_of([] { parse_nifti_header(std::string(352, '\0'), "f"); }) == advice);
}
