// PNG: what its samples mean.
#include "engine/base/check.h"
#include "engine/formats/pixels.h"
#include "engine/formats/raster_formats.h"

namespace glia {

namespace {

using Kind = PngHeader::Kind;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::grey: return "grey";
    case Kind::grey_alpha: return "grey and alpha";
    case Kind::palette: return "palette";
    case Kind::rgb: return "RGB";
    case Kind::rgba: return "RGBA";
  }
  return "?";
}

/// Places in the palette as RGB, or RGBA where the palette has transparent colours.
void look_up(const PngHeader& png, Raster& raster, const std::string& name) {
  raster.channels = png.transparency.empty() ? 3 : 4;
  raster.values.reserve(raster.indices.size() * static_cast<std::size_t>(raster.channels));
  for (const float index : raster.indices) {
    const auto place = static_cast<std::size_t>(index);
    check(place < png.palette.size(),
          "{}: damaged PNG: a pixel of colour {} in a palette of {}; copy or export the file again",
          name, place, png.palette.size());
    for (const std::uint8_t part : png.palette[place]) raster.values.push_back(part);
    if (raster.channels == 4)
      raster.values.push_back(place < png.transparency.size()
                                  ? static_cast<unsigned char>(png.transparency[place])
                                  : 255.0F);
  }
}

/// Adds an alpha channel that is 0 where a pixel has the one transparent colour.
void add_alpha(const PngHeader& png, Raster& raster) {
  const auto channels = static_cast<std::size_t>(raster.channels);
  if (png.transparency.size() < 2 * channels) return;
  std::vector<float> clear, values;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto byte = [&](std::size_t i) {
      return static_cast<unsigned char>(png.transparency[2 * c + i]);
    };
    clear.push_back(static_cast<float>(byte(0) << 8 | byte(1)));
  }
  values.reserve(raster.values.size() / channels * (channels + 1));
  for (auto pixel = raster.values.begin(); pixel != raster.values.end();
       pixel += static_cast<std::ptrdiff_t>(channels)) {
    const auto end = pixel + static_cast<std::ptrdiff_t>(channels);
    values.insert(values.end(), pixel, end);
    values.push_back(std::equal(pixel, end, clear.begin()) ? 0 : raster.most);
  }
  raster.values = std::move(values);
  ++raster.channels;
}

}  // namespace

Raster decode_png(std::string_view bytes, const std::string& name) {
  const PngHeader png = parse_png_header(bytes, name);
  const std::vector<std::uint16_t> samples = png_pixels(bytes, png, name);
  Raster raster;
  raster.height = png.height;
  raster.width = png.width;
  raster.channels = png.samples();
  raster.bits = png.kind == Kind::palette ? 8 : png.depth;
  raster.most = static_cast<float>((1 << raster.bits) - 1);
  raster.orientation = png.orientation;
  raster.kind = fmt::format("{}-bit {} PNG", png.depth, name_of(png.kind));
  std::vector<float>& values = png.kind == Kind::palette ? raster.indices : raster.values;
  values.assign(samples.begin(), samples.end());
  if (png.kind == Kind::palette)
    look_up(png, raster, name);
  else if (!png.transparency.empty() && raster.channels % 2 == 1)
    add_alpha(png, raster);
  raster.alpha = raster.channels % 2 == 0;
  return raster;
}

}  // namespace glia
