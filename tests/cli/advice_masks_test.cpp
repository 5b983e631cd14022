// Masks that can be read in more than one way: each way that a message names makes the same import
// pass.
#include <filesystem>

#include "tests/cli/advice.h"
#include "tests/cli/pictures.h"

using namespace glia;
using namespace glia::advice;

namespace {

namespace fs = std::filesystem;

using Pixels = std::vector<std::uint16_t>;

/// 16 x 16 pixels of `channels`, the first rows of each with a value of its own and the rest 0.
Pixels marked(const Pixels& values) {
  Pixels pixels;
  for (int i = 0; i < 16 * 16; ++i)
    for (const std::uint16_t value : values) pixels.push_back(i < 64 ? value : 0);
  return pixels;
}

/// An image beside whichever mask is tried.
struct Masks {
  Pictures pictures;
  Masks() { pictures.add_pair("a", 1); }

  Words import(const Words& more) const {
    fs::remove_all(pictures.path("out"));
    return with(with(pictures.import(), {"--group-by", "case"}), more);
  }
  void plain_works() const {
    pictures.add("a_mask.png", png_file({.height = 16, .width = 16}, marked({255})));
    works(import({}));
  }
};

}  // namespace

TEST_CASE("advice: masks with channels, a palette or alpha", "[cli][advice]") {
  const Masks masks;
  const auto tried = [&](const PngSpec& spec, const Pixels& pixels, const std::string& text,
                         const std::vector<Words>& ways) {
    masks.pictures.add("a_mask.png", png_file(spec, pixels));
    refused(masks.import({}), "a_mask.png: ");
    refused(masks.import({}), text);
    for (const Words& way : ways) works(masks.import(way));
    masks.plain_works();
  };
  Pixels half_clear = marked({255, 0});
  for (std::size_t i = 1; i < half_clear.size(); i += 2) half_clear[i] = 100;
  tried({.height = 16, .width = 16, .channels = 3}, marked({255, 0, 0}),
        "--mask-channel 0, 1 or 2 takes that one, or export it with one value a pixel",
        {{"--mask-channel", "0"}, {"--mask-channel", "1"}, {"--mask-channel", "2"}});
  tried({.height = 16, .width = 16, .palette = {{9, 0, 0}, {0, 0, 0}}}, marked({1}),
        "export it with one grey value a pixel", {});
  tried({.height = 16, .width = 16, .channels = 2}, half_clear,
        "--mask-channel 0 takes the mask without it, --mask-channel 1 takes alpha as the mask",
        {{"--mask-channel", "0"}, {"--mask-channel", "1", "--labels", "100"}});
}

TEST_CASE("advice: masks of several values, and several masks", "[cli][advice]") {
  const Masks masks;
  Pixels classes = marked({1});
  classes[70] = 2;
  masks.pictures.add("a_mask.png", png_file({.height = 16, .width = 16}, classes));
  refused(masks.import({}), "--labels 1,2 takes all but 0 as tumour; name fewer if not all of");
  for (const char* labels : {"1,2", "1", "2"}) works(masks.import({"--labels", labels}));
  Pixels soft = marked({255});
  for (std::uint16_t i = 70; i < 170; ++i) soft[i] = i;
  masks.pictures.add("a_mask.png", png_file({.height = 16, .width = 16}, soft));
  refused(masks.import({}), "--mask-threshold 127.5");
  works(masks.import({"--mask-threshold", "127.5"}));

  masks.plain_works();
  const std::string second = masks.pictures.path("data/a_mask_1.png");
  fs::copy_file(masks.pictures.path("data/a_mask.png"), second);
  refused(masks.import({}), "a second mask of ");
  refused(masks.import({}), "--masks union joins them, or remove it");
  works(masks.import({"--masks", "union"}));
  fs::remove(second);
  works(masks.import({}));
}

TEST_CASE("advice: a case that lacks a channel", "[cli][advice]") {
  const Pictures pictures;
  const std::string plain = png_file({.height = 16, .width = 16}, marked({9}));
  for (const char* name : {"a_t1.png", "a_t2.png", "b_t1.png", "a_seg.png", "b_seg.png"})
    pictures.add(name, plain);
  const Words import = with(pictures.import(), {"--group-by", "case", "--image-suffix", "_t1,_t2",
                                                "--mask-suffix", "_seg", "--labels", "9"});
  refused(import, "the case has no ");
  refused(import, "; add it or remove the case");
  pictures.add("b_t2.png", plain);
  works(import);
  fs::remove_all(pictures.path("out"));
  for (const char* name : {"b_t1.png", "b_t2.png", "b_seg.png"})
    fs::remove(pictures.path(std::string("data/") + name));
  works(import);
}

TEST_CASE("advice: of an image and its mask one is turned upright and the other is not",
          "[cli][advice]") {
  const Masks masks;
  Pixels wide;
  for (int i = 0; i < 8 * 16; ++i) wide.push_back(static_cast<std::uint16_t>(i < 32 ? 255 : i % 7));
  const auto put = [&](const char* name, int height, bool turned) {
    Pixels pixels = wide;
    if (name == std::string("a_mask.png"))
      for (std::uint16_t& pixel : pixels) pixel = pixel == 255 ? 255 : 0;
    masks.pictures.add(name, png_file({.height = height,
                                       .width = 128 / height,
                                       .exif = turned ? exif_block(6) : std::string()},
                                      pixels));
  };
  for (const bool image : {true, false}) {
    CAPTURE(image);
    put("a.png", 8, image);
    put("a_mask.png", 8, !image);
    refused(masks.import({}), std::string("a_mask.png: ") +
                                  (image ? "8 x 16 pixels, its image has 16 x 8: the image was "
                                           "turned upright as its EXIF or XMP orientation says, "
                                           "and the file says none; if both were drawn on the "
                                           "pixels as they are stored, pass --orientation stored"
                                         : "16 x 8 pixels, its image has 8 x 16: the file was "
                                           "turned upright as its EXIF or XMP orientation says, "
                                           "and the image says none; if both"));
    works(masks.import({"--orientation", "stored"}));
    put("a.png", 16, false);  // both upright
    put("a_mask.png", 16, false);
    works(masks.import({}));
    // Where the sides are equal nobody can tell, and it is said.
    masks.pictures.add(
        "a.png",
        png_file({.height = 16, .width = 16, .exif = image ? exif_block(6) : std::string()},
                 marked({7})));
    masks.pictures.add(
        "a_mask.png",
        png_file({.height = 16, .width = 16, .exif = image ? std::string() : exif_block(6)},
                 marked({255})));
    const Outcome doubtful = run_glia(masks.import({}));
    CAPTURE(doubtful.output);
    CHECK(doubtful.code == 0);
    CHECK(contains(doubtful, image ? "a.png: turned upright" : "a_mask.png: turned upright"));
    CHECK(contains(doubtful, "pass --orientation stored"));
    CHECK_FALSE(contains(run_glia(masks.import({"--orientation", "stored"})), "turned upright"));
  }
}
