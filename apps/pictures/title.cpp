#include "apps/pictures/title.h"

#include <stb_easy_font.h>

#include <algorithm>
#include <vector>

namespace glia {

namespace {

constexpr int kMargin = 4;
constexpr int kLetters = 10;  // rows of the font's letters, what hangs below the line included
constexpr std::uint8_t kDark = 32, kWhite = 255;
constexpr std::size_t kRectangle = 16;  // floats: four corners of x, y, z and a colour

/// A character of UTF-8 is one letter here.
std::string ascii(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;
    result += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return result;
}

/// Fills the pixels of the letters; those beyond the picture are left out.
void write(Picture& picture, std::string text, int scale) {
  std::vector<float> corners(kRectangle * 32 * (text.size() + 1));
  const int count = stb_easy_font_print(0, 0, text.data(), nullptr, corners.data(),
                                        static_cast<int>(corners.size() * sizeof(float)));
  for (int i = 0; i < count; ++i) {
    const float* first = &corners[kRectangle * static_cast<std::size_t>(i)];
    const float* opposite = first + kRectangle / 2;
    const int left = kMargin + static_cast<int>(first[0]) * scale;
    const int right = kMargin + static_cast<int>(opposite[0]) * scale;
    const int top = kMargin + static_cast<int>(first[1]) * scale;
    const int bottom = kMargin + static_cast<int>(opposite[1]) * scale;
    for (int y = std::max(top, 0); y < std::min(bottom, picture.height); ++y)
      for (int x = std::max(left, 0); x < std::min(right, picture.width); ++x) {
        const std::size_t at = 3 * (static_cast<std::size_t>(y) * picture.width + x);
        std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(at), 3, kWhite);
      }
  }
}

}  // namespace

Picture titled(const Picture& picture, const std::string& title) {
  std::string text = ascii(title);
  const int room = picture.width - 2 * kMargin;
  const auto width = [&] { return stb_easy_font_width(text.data()); };
  const int scale = 2 * width() <= room ? 2 : 1;
  while (!text.empty() && scale * width() > room) text.pop_back();

  const Picture body = enlarge(picture, 1);
  const int strip = 2 * kLetters + 2 * kMargin;  // the same above all, so that they stand in line
  Picture result{body.width, body.height + strip, 3, {}};
  result.pixels.assign(static_cast<std::size_t>(strip) * body.width * 3, kDark);
  result.pixels.insert(result.pixels.end(), body.pixels.begin(), body.pixels.end());
  write(result, text, scale);
  return result;
}

}  // namespace glia
