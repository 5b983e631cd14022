#include "engine/formats/png_exif.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/check.h"
#include "engine/formats/pixels.h"

namespace glia {

namespace {

constexpr std::array<std::string_view, 3> kProfiles{
    "Raw profile type exif", "Raw profile type EXIF", "Raw profile type APP1"};
constexpr std::size_t kMaxProfile = std::size_t{1} << 20;  // JPEG's EXIF has 64 KiB at most
constexpr std::string_view kExifMark("Exif\0\0", 6);       // what leads it in JPEG, and often here

/// Takes what stands before the next null byte, and that, off the front of `text`.
std::string_view up_to_null(std::string_view& text) {
  const std::string_view front = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(front.size() + 1, text.size()));
  return front;
}

/// The value of a hexadecimal digit, or -1.
int hex_value(char c) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  const char small = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t place = kHexDigits.find(small);
  return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

/// The bytes of digits in lines, as far as they are digits.
std::string bytes_of_hex(std::string_view lines) {
  std::string bytes;
  int high = -1;
  for (const char c : lines) {
    if (c == '\n') continue;
    const int value = hex_value(c);
    if (value < 0) break;
    if (high >= 0) bytes += static_cast<char>(high << 4 | value);
    high = high < 0 ? value : -1;
  }
  return bytes;
}

/// The profile in such a text: an empty line, one with its name, its length, its bytes.
std::optional<std::string> profile_of(std::string_view text) {
  if (!text.starts_with('\n')) return {};
  const std::size_t name = text.find('\n', 1);
  if (name == std::string_view::npos) return {};
  const std::size_t number = text.find_first_not_of(' ', name + 1);
  if (number == std::string_view::npos) return {};
  std::size_t length = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + number, last, length);
  if (error != std::errc() || end == last || *end != '\n') return {};
  std::string bytes = bytes_of_hex({end, last});
  if (bytes.size() < length) return {};
  bytes.resize(length);
  return bytes;
}

}  // namespace

std::optional<std::string> exif_in_text(const PngChunk& chunk, const std::string& name) {
  const bool international = chunk.type == "iTXt";
  if (!international && chunk.type != "zTXt" && chunk.type != "tEXt") return {};
  std::string_view text = chunk.data;
  const std::string_view keyword = up_to_null(text);
  if (std::find(kProfiles.begin(), kProfiles.end(), keyword) == kProfiles.end()) return {};
  bool packed = chunk.type == "zTXt";
  if (international) {
    packed = text.starts_with('\1');
    text.remove_prefix(std::min<std::size_t>(1, text.size()));
  }
  std::string_view data = text;  // after the method, where there is one
  if (packed || international) data.remove_prefix(std::min<std::size_t>(1, data.size()));
  const bool deflated = text.starts_with('\0');
  if (international) {
    up_to_null(data);  // its language
    up_to_null(data);  // and the keyword in that
  }
  text = data;
  std::optional<std::string> unpacked;
  if (packed && deflated) unpacked = stb_inflate(text, kMaxProfile);
  if (packed) text = unpacked ? std::string_view(*unpacked) : std::string_view();
  std::optional<std::string> profile;
  if (text.size() <= kMaxProfile) profile = profile_of(text);
  check(profile.has_value(),
        "{}: its EXIF, in the text '{}', is damaged or longer than {} KiB; export the picture "
        "again, upright and without EXIF",
        name, keyword, kMaxProfile >> 10);
  if (profile->starts_with(kExifMark)) return profile->substr(kExifMark.size());
  if (profile->starts_with("II") || profile->starts_with("MM")) return profile;
  return {};  // APP1 may hold something else
}

}  // namespace glia
