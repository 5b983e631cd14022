#include <algorithm>

#include "engine/formats/xmp.h"

namespace glia {

namespace {

constexpr std::string_view kName = "Orientation", kPrefix = "tiff:", kDeclaration = "xmlns:tiff=",
                           kUri = "http://ns.adobe.com/tiff/1.0/";

/// What stands after a property's name: ="6", ='6' or >6<, with blanks around the sign.
std::optional<std::string_view> value_after(std::string_view rest) {
  const auto skip_blanks = [&] {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  };
  skip_blanks();
  if (rest.empty() || (rest.front() != '=' && rest.front() != '>')) return {};
  char last = '<';
  if (rest.front() == '=') {
    rest.remove_prefix(1);
    skip_blanks();
    if (rest.empty() || (rest.front() != '"' && rest.front() != '\'')) return {};
    last = rest.front();
  }
  rest.remove_prefix(1);
  const std::size_t end = rest.find(last);
  if (end == std::string_view::npos) return {};
  return rest.substr(0, end);
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

/// Whether the prefix can mean nothing but the namespace, and every name is read.
bool is_plain(std::string_view packet) {
  if (packet.find("<!") != std::string_view::npos || count(packet, kDeclaration) != 1 ||
      count(packet, kUri) != 1)
    return false;
  const std::string_view value = packet.substr(packet.find(kDeclaration) + kDeclaration.size());
  return value.substr(std::min<std::size_t>(1, value.size())).starts_with(kUri);
}

}  // namespace

XmpReading read_xmp(std::string_view packet) {
  XmpReading reading;
  if (packet.find('\0') != std::string_view::npos) return {.understood = false};
  for (std::size_t at = packet.find(kName); at != std::string_view::npos;
       at = packet.find(kName, at + 1)) {
    const std::string_view before = packet.substr(0, at);
    if (!is_plain(packet) || !before.ends_with(kPrefix)) return {.understood = false};
    const std::string_view after = packet.substr(at + kName.size());
    const auto value = value_after(after);
    // A name in the value of another ends with a quote, and the end of an element with its sign.
    if (!value &&
        (after.empty() || std::string_view("'\">").find(after[0]) == std::string_view::npos))
      return {.understood = false};
    if (value && !reading.orientation) reading.orientation = orientation_of_text(*value);
  }
  return reading;
}

}  // namespace glia
