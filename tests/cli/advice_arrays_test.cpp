// Arrays and pictures that are not as Glia reads them: each is named, and once it is written as the
// message says the same command passes.
#include <filesystem>

#include "engine/formats/png_header.h"
#include "tests/cli/advice.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"

using namespace glia;
using namespace glia::advice;

namespace {

struct Refusal {
  std::string bytes, text;
};

/// `bytes` of values of a .npy file with that dtype, and shape where it is not the network's own.
std::string array(const std::string& dtype, std::size_t bytes,
                  const std::string& shape = "(16, 16, 3)") {
  return npy_bytes(1,
                   "{'descr': " + dtype + ", 'fortran_order': False, 'shape': " + shape + ", }\n",
                   std::string(bytes, '\0'));
}

}  // namespace

TEST_CASE("advice: arrays of other kinds are saved again as plain ones", "[cli][advice]") {
  const Network w;
  constexpr std::size_t kPixels = 16 * 16 * 3;
  const std::string whole = array("'|u1'", kPixels);
  std::string future = whole;
  future[6] = 9;
  for (const auto& [bytes, text] :
       {Refusal{array("'|u1'", kPixels - 1), "the file has 767; copy it again"},
        Refusal{array("'|u1'", kPixels + 1), "the file has 769; save it again with numpy.save"},
        Refusal{array("'|u1'", kPixels, "(16, 16, 3"), "save it again with numpy.save"},
        Refusal{array("[('a', '|u1')]", kPixels), "save the field with the pixels as a plain"},
        Refusal{array("'|O'", kPixels), "numpy.save(path, array.astype('float32'))"},
        Refusal{array("'<c8'", 8 * kPixels), "float64: save it with array.astype('float32')"},
        Refusal{array("'|u1'", 1200, "(3, 20, 20)"),
                "save it again with numpy.moveaxis(array, 0, -1)"},
        Refusal{"PK\3\4" + whole, "unpack it and save each array with numpy.save"},
        Refusal{"pixels", "save it with numpy.save"},
        Refusal{future, "expected 1, 2 or 3: save it with numpy.save"}}) {
    write_bytes(w.path("one.npy"), bytes);
    refused(w.on("predict", "one.npy", "out"), "one.npy: ");
    refused(w.on("predict", "one.npy", "out"), text);
    write_bytes(w.path("one.npy"), whole);
    works(w.on("predict", "one.npy", "out"));
  }
}

TEST_CASE("advice: pictures of unusual kinds are exported as plain ones", "[cli][advice]") {
  const Network w;
  PngSpec spec{.height = 16, .width = 16, .channels = 3};
  const std::vector<std::uint16_t> pixels(16 * 16 * 3, 7);
  const std::string plain = png_file(spec, pixels);
  const auto holding = [&](const std::string& chunk) {
    spec.texts = chunk;
    return png_file(spec, pixels);
  };
  std::string huge = png_chunk("IHDR", std::string("\0\0\x10\0\0\0\x10\0\x08\2\0\0\0", 13));
  for (const auto& [bytes, text] :
       {Refusal{holding(png_chunk("acTL", "")), "export each picture as a file of its own"},
        Refusal{holding(png_chunk("NEED", "")), "export it as a plain PNG"},
        Refusal{holding(profile_chunk("Raw profile type exif", "", true, 9)),
                "export the picture again, upright and without EXIF"},
        Refusal{std::string(plain).replace(8, huge.size(), huge), "can hold; copy it again"}}) {
    write_bytes(w.path("one.png"), bytes);
    refused(w.on("predict", "one.png", "out"), "one.png: ");
    refused(w.on("predict", "one.png", "out"), text);
    write_bytes(w.path("one.png"), plain);
    works(w.on("predict", "one.png", "out"));
  }
}
