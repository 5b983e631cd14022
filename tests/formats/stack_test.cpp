#include "engine/formats/stack.h"

#include "engine/data/dataset.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

class Files {
 public:
  std::filesystem::path add(const std::string& name, const std::string& bytes) const {
    write_bytes(folder_.path() / name, bytes);
    return folder_.path() / name;
  }

 private:
  TempFolder folder_;
};

}  // namespace

TEST_CASE("stack: names lose the endings that are known", "[stack]") {
  CHECK(stem_of("x/a.b c.nii.gz") == "a.b c");
  CHECK(stem_of("a.NII.GZ") == "a");
  CHECK(stem_of("a.nii") == "a");
  CHECK(stem_of("a.1.2.png") == "a.1.2");
  CHECK(stem_of("a.nii.png") == "a.nii");
  CHECK(is_stack_name("a.npy"));
  CHECK(!is_stack_name("a.gz"));
  CHECK(!is_stack_name("License.txt"));
}

TEST_CASE("stack: files of one image become channels in their order", "[stack]") {
  const Files files;
  const auto one = files.add("1.png", png_file({.height = 1, .width = 2}, {1, 2}));
  const auto two = files.add(
      "2.png", png_file({.height = 1, .width = 2, .channels = 3}, {11, 12, 13, 21, 22, 23}));
  CHECK(read_image({one, two}, {}).values == std::vector<float>{1, 11, 12, 13, 2, 21, 22, 23});
  CHECK(read_image({one, two}, {.take_channels = {3, 0}}).values ==
        std::vector<float>{13, 1, 23, 2});
  CHECK_THAT(error_of([&] {
               read_image({one, two}, {.take_channels = {4}});
             }),
             ContainsSubstring("--take-channels 4: there are the channels 0 to 3"));
  const auto other = files.add("3.png", png_file({.height = 2, .width = 1}, {1, 2}));
  CHECK_THAT(error_of([&] {
               read_image({one, other}, {});
             }),
             ContainsSubstring("3.png: 2 x 1 pixels"));
}

TEST_CASE("stack: alpha is left out when it is opaque, and asked about when it is not", "[stack]") {
  const Files files;
  const PngSpec rgba{.height = 1, .width = 2, .channels = 4};
  const auto opaque = files.add("a.png", png_file(rgba, {1, 2, 3, 255, 4, 5, 6, 255}));
  CHECK(read_image({opaque}, {}).values == std::vector<float>{1, 2, 3, 4, 5, 6});
  const auto clear = files.add("b.png", png_file(rgba, {1, 2, 3, 255, 4, 5, 6, 0}));
  CHECK_THAT(
      error_of([&] { read_image({clear}, {}); }),
      ContainsSubstring("--take-channels 0,1,2 leaves it out, --take-channels 0,1,2,3 takes it"));
  CHECK(read_image({clear}, {.take_channels = {0, 3}}).values == std::vector<float>{1, 255, 4, 0});
  const PngSpec deep{.height = 1, .width = 1, .channels = 2, .bits = 16};
  const auto grey = files.add("c.png", png_file(deep, {500, 65535}));
  CHECK(read_image({grey}, {}).values == std::vector<float>{500});
}

TEST_CASE("stack: masks must be lossless and grey", "[stack]") {
  const Files files;
  const auto read = [&](const std::string& name, const std::string& bytes) {
    return read_mask_stack(files.add(name, bytes), {}).values;
  };
  const PngSpec rgb{.height = 1, .width = 2, .channels = 3};
  CHECK(read("a.png", png_file(rgb, {0, 0, 0, 255, 255, 255})) == std::vector<float>{0, 255});
  CHECK_THAT(error_of([&] {
               read("b.png", png_file(rgb, {0, 0, 0, 255, 0, 0}));
             }),
             ContainsSubstring("b.png: a mask with 3 channels that differ"));
  const std::string jpeg = jpeg_file(8, 8, 3, std::vector<std::uint8_t>(192, 255));
  CHECK_THAT(error_of([&] { read("c.jpg", jpeg); }), ContainsSubstring("c.jpg: a mask with lossy"));
  CHECK_THAT(error_of([&] { read("d.png", jpeg); }), ContainsSubstring("d.png: a mask with lossy"));
}

TEST_CASE("stack: blank slices", "[stack]") {
  CHECK(is_blank(std::vector<float>{1, 2, 1, 2, 1, 2}, 2));
  CHECK(!is_blank(std::vector<float>{1, 2, 1, 2, 1, 3}, 2));
  CHECK(!is_blank(std::vector<float>{1, 2}, 1));
}

TEST_CASE("stack: alpha of a mask may be opaque or the mask once more", "[stack]") {
  const Files files;
  const PngSpec rgba{.height = 1, .width = 3, .channels = 4};
  const auto read = [&](const std::vector<std::uint16_t>& pixels, StackOptions options = {}) {
    return read_mask_stack(files.add("m.png", png_file(rgba, pixels)), options).values;
  };
  const std::vector<float> mask{0, 255, 255};
  CHECK(read({0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}) == mask);
  CHECK(read({0, 0, 0, 0, 255, 255, 255, 128, 255, 255, 255, 255}) == mask);
  CHECK(read({0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255}) == mask);
  const std::vector<std::uint16_t> other{0, 0, 0, 9, 255, 255, 255, 255, 255, 255, 255, 0};
  CHECK_THAT(
      error_of([&] { read(other); }),
      ContainsSubstring("--mask-channel 0 takes the mask without it, --mask-channel 3 takes"));
  CHECK(read(other, {.mask_channel = 0}) == mask);
  CHECK(read(other, {.mask_channel = 3}) == std::vector<float>{9, 255, 0});
  const std::vector<std::uint16_t> red{0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255};
  CHECK_THAT(error_of([&] { read(red); }), ContainsSubstring("--mask-channel 0, 1, 2 or 3 takes"));
  CHECK(read(red, {.mask_channel = 0}) == mask);
  CHECK_THAT(error_of([&] { read(red, {.mask_channel = 4}); }),
             ContainsSubstring("--mask-channel 4: there are the channels 0 to 3"));
}

TEST_CASE("stack: of a palette a mask takes the places, an image the colours", "[stack]") {
  const Files files;
  PngSpec spec{.height = 1, .width = 3, .palette = {{0, 0, 0}, {128, 0, 0}, {0, 128, 0}}};
  const auto colours = files.add("a.png", png_file(spec, {0, 2, 1}));
  CHECK(read_mask_stack(colours, {}).values == std::vector<float>{0, 2, 1});
  CHECK(read_image({colours}, {}).values == std::vector<float>{0, 0, 0, 0, 128, 0, 128, 0, 0});
  spec.palette = {{0, 0, 0}, {255, 255, 255}, {7, 7, 7}};
  CHECK(read_mask_stack(files.add("b.png", png_file(spec, {0, 1, 0})), {}).values ==
        std::vector<float>{0, 255, 0});
  spec.palette = {{255, 0, 0}, {0, 0, 0}, {0, 0, 255}};
  CHECK_THAT(error_of([&] {
               read_mask_stack(files.add("c.png", png_file(spec, {0, 1, 1})), {});
             }),
             ContainsSubstring("a palette in which black is colour 1"));
}

TEST_CASE("stack: few bits are stretched in images and kept in masks", "[stack]") {
  const Files files;
  for (const int bits : {1, 2, 4}) {
    const auto most = static_cast<std::uint16_t>((1 << bits) - 1);
    const auto file =
        files.add("a.png", png_file({.height = 1, .width = 3, .bits = bits}, {0, 1, most}));
    const Stack image = read_image({file}, {});
    CHECK(image.values == std::vector<float>{0, 255.0F / static_cast<float>(most), 255});
    CHECK(image.most == std::vector<float>{255});
    CHECK(read_mask_stack(file, {}).values == std::vector<float>{0, 1, static_cast<float>(most)});
  }
}

TEST_CASE("stack: EXIF turns images and masks, unless they are taken as stored", "[stack][exif]") {
  const Files files;
  const auto file =
      files.add("a.png", png_file({.height = 1, .width = 2, .exif = exif_block(6)}, {1, 2}));
  for (const Stack& stack : {read_image({file}, {}), read_mask_stack(file, {})}) {
    CHECK(stack.height == 2);
    CHECK(stack.values == std::vector<float>{1, 2});
    CHECK(stack.turned);
    CHECK_THAT(stack.kind, ContainsSubstring("turned upright (EXIF or XMP orientation 6)"));
  }
  const Stack stored = read_image({file}, {.as_stored = true});
  CHECK(stored.height == 1);
  CHECK(!stored.turned);
}

TEST_CASE("stack: arrays with channels in front are refused by name", "[stack]") {
  const Files files;
  for (const std::int64_t channels : {1, 3}) {
    const auto path = files.add("a.npy", "");
    write_npy<float>(path, {channels, 32, 32},
                     std::vector<float>(static_cast<std::size_t>(channels) * 32 * 32));
    CHECK_THAT(
        error_of([&] { read_image({path}, {}); }),
        ContainsSubstring(fmt::format("[{}, 32, 32]: channels first? expected [height", channels)));
    CHECK_THAT(error_of([&] { read_mask_stack(path, {}); }), ContainsSubstring("channels first?"));
    CHECK_THAT(error_of([&] { load_mask(path); }), ContainsSubstring("channels first?"));
    CHECK_THAT(error_of([&] {
                 load_slice({"a", path, {}});
               }),
               ContainsSubstring("channels first?"));
  }
  CHECK(!looks_channels_first({32, 32, 3}));
  CHECK(!looks_channels_first({4, 4, 4}));
}
