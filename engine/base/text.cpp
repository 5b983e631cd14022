#include "engine/base/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace glia {

namespace {

struct Character {
  std::size_t bytes = 0;  // 0: no UTF-8
  std::uint32_t code = 0;
};

/// The first character of `text`, which is not empty (RFC 3629).
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < kLeast[bytes] || code > 0x10FFFF || surrogate ? Character{}
                                                              : Character{bytes, code};
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/// Embeddings, overrides and isolates of the bidirectional algorithm: they make "gnp.exe" of a
/// name.
bool turns_direction(std::uint32_t code) {
  return code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

/// Characters that `is_shown(character, text from it on)` as they are, the bytes of others as
/// "\xFF".
template <class IsShown>
std::string escape(std::string_view text, const IsShown& is_shown) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, std::max<std::size_t>(character.bytes, 1));
    if (character.bytes > 0 && is_shown(character, text))
      result += bytes;
    else
      for (const char byte : bytes)
        result += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
    text.remove_prefix(bytes.size());
  }
  return result;
}

std::string for_terminals(std::string_view text, std::string_view kept) {
  return escape(text, [&](const Character& character, std::string_view from) {
    return (!is_control(character.code) && !turns_direction(character.code)) ||
           (character.bytes == 1 && kept.find(from[0]) != std::string_view::npos);
  });
}

constexpr std::string_view kByte = "\\x";
constexpr std::size_t kByteLength = 4;  // "\xFF"

/// The byte that `text` begins with as "\xFF"; nothing where it does not.
std::optional<char> written_byte(std::string_view text) {
  constexpr std::string_view kHexadecimal = "0123456789ABCDEF";
  if (text.size() < kByteLength || !text.starts_with(kByte)) return std::nullopt;
  const std::size_t high = kHexadecimal.find(text[2]), low = kHexadecimal.find(text[3]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = first_character(text).bytes;
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string utf8_text(std::string_view text) {
  return escape(text, [](const Character&, std::string_view) { return true; });
}

std::string text_of_path(const std::filesystem::path& path) {
  return escape(path.string(), [](const Character&, std::string_view from) {
    return !written_byte(from).has_value();
  });
}

std::filesystem::path path_of_text(std::string_view text) {
  std::string path;
  while (!text.empty()) {
    const auto byte = written_byte(text);
    path += byte.value_or(text[0]);
    text.remove_prefix(byte ? kByteLength : 1);
  }
  return path;
}

std::string printable(std::string_view text) {
  return for_terminals(text, "\n\t");
}

std::string printable_name(std::string_view name) {
  return for_terminals(name, "");
}

std::string first_few(const std::vector<std::string>& items, std::size_t few) {
  const std::size_t shown = std::min(items.size(), few);
  std::string text = fmt::format(
      "{}", fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < items.size()) text += fmt::format(" and {} more", items.size() - shown);
  return text;
}

}  // namespace glia
