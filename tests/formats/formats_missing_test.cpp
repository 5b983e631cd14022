// A build without the formats' libraries names the flag of a build that has them. That such a build
// reads these files is what its own tests say (tests/formats/nifti_test.cpp, raster_tiff_test.cpp).
#include "engine/formats/nifti_header.h"
#include "engine/formats/raster.h"
#include "engine/formats/xmp.h"
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

TEST_CASE("formats: without an XML library XMP is read where nothing can be mistaken", "[raster]") {
  const std::string start = "<rdf:RDF><rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' ";
  const auto orientation = [](const std::string& packet) { return xmp_orientation(packet, "f"); };
  CHECK(orientation(start + "tiff:Orientation='6'/>") == 6);
  CHECK(orientation(start + "><tiff:Orientation> 3\n</tiff:Orientation>") == 3);
  CHECK_FALSE(orientation(start + "/>").has_value());
  for (const std::string& bad :
       {start + "><!-- tiff:Orientation='6' -->", start + "t:Orientation='6'/>",
        start + "xmlns:tiff='urn:mine' tiff:Orientation='6'/>",
        std::string("<a xmlns:tiff='urn:mine' tiff:Orientation='6'/>"),
        std::string("<\0O\0r\0i\0e\0n\0t\0a\0t\0i\0o\0n\0", 24)})
    CHECK(error_of([&] {
            orientation(bad);
          }).find("f: its XMP speaks of an orientation and cannot be read") == 0);
}
