// The orientation in XMP packets that say it in unusual ways: XML is read, not its text.
#include "engine/formats/xmp.h"

#include <string>

#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

namespace {

const std::string kRdf = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'",
                  kTiff = "xmlns:tiff='http://ns.adobe.com/tiff/1.0/'";

std::string rdf(const std::string& content) {
  return "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><rdf:RDF " + kRdf + " " + kTiff + ">" +
         content + "</rdf:RDF><?xpacket end='w'?>";
}

std::string utf16(const std::string& text, bool big_endian) {
  std::string wide;
  for (const char c : text) wide += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return wide;
}

std::optional<int> orientation(const std::string& packet) {
  return xmp_orientation(packet, "f");
}

}  // namespace

TEST_CASE("xmp: any prefix of the namespace, in UTF-8 and UTF-16", "[raster][exif]") {
  const std::string other =
      rdf("<rdf:Description xmlns:t='http://ns.adobe.com/tiff/1.0/' t:Orientation='6'/>");
  CHECK(orientation(other) == 6);
  CHECK(orientation("\n  " + other + std::string(40, '\0')) == 6);
  CHECK(orientation("\xEF\xBB\xBF" + other) == 6);
  CHECK(orientation(utf16(other, true)) == 6);
  CHECK(orientation(utf16(other, false)) == 6);
  CHECK(orientation("\xFE\xFF" + utf16(other, true)) == 6);
  CHECK(orientation("\xFF\xFE" + utf16(other, false)) == 6);
  CHECK(orientation(rdf("<rdf:Description><Orientation xmlns='http://ns.adobe.com/tiff/1.0/'>"
                        "<!-- 3 --> 8</Orientation></rdf:Description>")) == 8);
  CHECK(orientation(rdf("<rdf:Description tiff:Orientation='&#x35;'/>")) == 5);
}

TEST_CASE("xmp: what looks like the property and is none", "[raster][exif]") {
  for (const std::string& nothing :
       {rdf("<!-- <rdf:Description tiff:Orientation='6'/> --><rdf:Description/>"),
        rdf("<rdf:Description note='tiff:Orientation=&quot;6&quot;'/>"),
        rdf("<rdf:Description xmlns:tiff='urn:mine' tiff:Orientation='6'/>"),
        rdf("<rdf:Description xmlns:t='urn:mine'><t:x><![CDATA[tiff:Orientation='6']]></t:x>"
            "</rdf:Description>"),
        // Of a thumbnail, or whatever else the picture holds.
        rdf("<rdf:Description xmlns:x='urn:x'><x:Thumbnail><rdf:Description "
            "tiff:Orientation='6'/></x:Thumbnail></rdf:Description>"),
        rdf("<rdf:Description Orientation='6'/>"), rdf("<rdf:Description/>"), std::string(),
        std::string("no XML at all")})
    CHECK_FALSE(orientation(nothing).has_value());
  // The first that is 1 to 8.
  CHECK(orientation(rdf("<rdf:Description tiff:Orientation='9'/><rdf:Description "
                        "tiff:Orientation='3'/><rdf:Description tiff:Orientation='4'/>")) == 3);
}

TEST_CASE("xmp: packets that cannot be read are refused where they speak of it", "[raster][exif]") {
  const std::string good = rdf("<rdf:Description tiff:Orientation='6'/>");
  std::string bomb = "<!DOCTYPE x [<!ENTITY a '6'>";
  for (char c = 'b'; c < 'z'; ++c)
    bomb += std::string("<!ENTITY ") + c + " '&" + static_cast<char>(c - 1) + ";&" +
            static_cast<char>(c - 1) + ";'>";
  bomb += "]>" + rdf("<rdf:Description tiff:Orientation='&y;'/>");
  for (const std::string& bad :
       {good.substr(0, good.find("'6'") + 3), utf16(utf16(good, true), true),
        rdf("<rdf:Description tiff:Orientation=6/>"), bomb,
        rdf("<rdf:Description undeclared:Orientation='6'/>")})
    CHECK(error_of([&] {
            orientation(bad);
          }).find("f: its XMP speaks of an orientation and cannot be read") == 0);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  CHECK_FALSE(orientation(deep).has_value());
}
