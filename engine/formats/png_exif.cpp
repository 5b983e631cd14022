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
constexpr std::string_view kXmpKeyword = "XML:com.adobe.xmp";
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

/// A chunk of text. What it says is nothing where it is compressed and damaged, or compressed and
/// longer than kMaxProfile.
class ChunkText {
 public:
  explicit ChunkText(const PngChunk& chunk)
      : international_(chunk.type == "iTXt"), rest_(chunk.data) {
    packed_ = chunk.type == "zTXt";
    if (international_ || packed_ || chunk.type == "tEXt") keyword_ = up_to_null(rest_);
  }

  bool international() const { return international_; }
  /// Empty where the chunk is no text.
  std::string_view keyword() const { return keyword_; }

  std::optional<std::string> content() const {
    std::string_view text = rest_;
    bool packed = packed_;
    if (international_) {
      packed = text.starts_with('\1');
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
    }
    const bool deflated = text.starts_with('\0');
    if (packed || international_) text.remove_prefix(std::min<std::size_t>(1, text.size()));
    if (international_) {
      up_to_null(text);  // its language
      up_to_null(text);  // and the keyword in that
    }
    if (!packed) return std::string(text);
    if (!deflated) return {};
    return stb_inflate(text, kMaxProfile);
  }

 private:
  bool international_, packed_ = false;
  std::string_view rest_, keyword_;
};

}  // namespace

std::optional<std::string> exif_in_text(const PngChunk& chunk, const std::string& name) {
  const ChunkText text(chunk);
  if (std::find(kProfiles.begin(), kProfiles.end(), text.keyword()) == kProfiles.end()) return {};
  const std::optional<std::string> content = text.content();
  std::optional<std::string> profile;
  if (content && content->size() <= kMaxProfile) profile = profile_of(*content);
  check(profile.has_value(),
        "{}: its EXIF, in the text '{}', is damaged or longer than {} KiB; export the picture "
        "again, upright and without EXIF",
        name, text.keyword(), kMaxProfile >> 10);
  if (profile->starts_with(kExifMark)) return profile->substr(kExifMark.size());
  if (profile->starts_with("II") || profile->starts_with("MM")) return profile;
  return {};  // APP1 may hold something else
}

std::optional<std::string> xmp_in_text(const PngChunk& chunk, const std::string& name) {
  const ChunkText text(chunk);
  if (!text.international() || text.keyword() != kXmpKeyword) return {};
  std::optional<std::string> packet = text.content();
  check(
      packet.has_value(),
      "{}: its XMP, in the text '{}', is damaged or longer than {} KiB; export the picture again, "
      "upright and without XMP",
      name, kXmpKeyword, kMaxProfile >> 10);
  return packet;
}

}  // namespace glia
