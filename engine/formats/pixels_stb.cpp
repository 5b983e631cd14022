// The samples of PNG and JPEG through stb_image, which believes checksums, lengths and sizes: they
// have been checked before (png_header, jpeg_header).
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "engine/base/check.h"
#include "engine/formats/pixels.h"

namespace {

// A compressed stream may expand to any length, whatever the picture's size; this ends it.
thread_local std::size_t largest_block = 0;

void* allocate(std::size_t bytes) {
  return bytes <= largest_block ? std::malloc(bytes) : nullptr;
}

void* reallocate(void* block, std::size_t bytes) {
  return bytes <= largest_block ? std::realloc(block, bytes) : nullptr;
}

}  // namespace

#define STBI_MALLOC(bytes) allocate(bytes)
#define STBI_REALLOC(block, bytes) reallocate(block, bytes)
#define STBI_FREE(block) std::free(block)
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#include <stb_image.h>

namespace glia {

namespace {

template <class T>
using Block = std::unique_ptr<T, decltype(&stbi_image_free)>;

/// As large as the picture needs, with room for what is around it.
void allow_memory(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kBytesPerPixel = 16, kAround = 1 << 20;
  largest_block = static_cast<std::size_t>(height * width * kBytesPerPixel + kAround);
}

/// What stb_image found.
struct Found {
  int width = 0, height = 0, samples = 0;
};

template <class T, class Header>
std::vector<std::uint16_t> take(const Block<T>& pixels, const Found& found, const Header& header,
                                std::int64_t samples, const std::string& name) {
  const bool same = found.width == header.width && found.height == header.height;
  check(pixels != nullptr && same,
        "{}: damaged or unusual picture: {}; copy or export the file again", name,
        pixels == nullptr ? stbi_failure_reason() : "it has two sizes");
  return {pixels.get(), pixels.get() + header.width * header.height * samples};
}

const stbi_uc* start_of(std::string_view bytes) {
  return reinterpret_cast<const stbi_uc*>(bytes.data());
}

/// The pixels of a PNG as another one without palette, transparent colour or anything besides: a
/// palette's places are grey values then.
std::string bare_png(std::string_view bytes, const PngHeader& header, const std::string& name) {
  constexpr std::size_t kKindPlace = 9;  // in IHDR
  std::string bare(kPngSignature);
  for (const auto& [type, data] : png_chunks(bytes, name)) {
    std::string content(data);
    if (type == "IHDR" && header.kind == PngHeader::Kind::palette) content[kKindPlace] = 0;
    if (type == "IHDR" || type == "IDAT" || type == "IEND") bare += png_chunk(type, content);
  }
  return bare;
}

}  // namespace

std::vector<std::uint16_t> stb_png_pixels(std::string_view bytes, const PngHeader& header,
                                          const std::string& name) {
  const std::string bare = bare_png(bytes, header, name);
  allow_memory(header.height, header.width);
  const auto size = static_cast<int>(bare.size());
  const auto samples = static_cast<int>(header.samples());
  Found found;
  if (header.depth == 16) {
    const Block<stbi_us> pixels(stbi_load_16_from_memory(start_of(bare), size, &found.width,
                                                         &found.height, &found.samples, samples),
                                &stbi_image_free);
    return take(pixels, found, header, samples, name);
  }
  const Block<stbi_uc> pixels(stbi_load_from_memory(start_of(bare), size, &found.width,
                                                    &found.height, &found.samples, samples),
                              &stbi_image_free);
  std::vector<std::uint16_t> values = take(pixels, found, header, samples, name);
  // stb_image stretches small depths to 255, which is a multiple of their greatest values.
  const auto factor = static_cast<std::uint16_t>(255 / ((1 << header.depth) - 1));
  for (std::uint16_t& value : values) value = static_cast<std::uint16_t>(value / factor);
  return values;
}

std::vector<std::uint16_t> stb_jpeg_pixels(std::string_view bytes, const JpegHeader& header,
                                           const std::string& name) {
  allow_memory(header.height, header.width);
  const auto components = static_cast<int>(header.components);
  Found found;
  const Block<stbi_uc> pixels(
      stbi_load_from_memory(start_of(bytes), static_cast<int>(bytes.size()), &found.width,
                            &found.height, &found.samples, components),
      &stbi_image_free);
  return take(pixels, found, header, components, name);
}

std::optional<std::string> stb_inflate(std::string_view packed, std::size_t most) {
  constexpr std::size_t kMaxInflateRatio = 1032;
  std::string text(std::min(most, packed.size() * kMaxInflateRatio), '\0');
  const int size = stbi_zlib_decode_buffer(text.data(), static_cast<int>(text.size()),
                                           packed.data(), static_cast<int>(packed.size()));
  if (size < 0) return {};
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace glia
