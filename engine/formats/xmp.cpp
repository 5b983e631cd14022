#include "engine/formats/xmp.h"

#include <algorithm>

#include "engine/base/check.h"

namespace glia {

namespace {

/// In any encoding whose Latin letters are those of ASCII with null bytes beside them, or none.
bool speaks_of_orientation(std::string_view packet) {
  std::string letters(packet);
  std::erase(letters, '\0');
  return letters.find("Orientation") != std::string::npos;
}

}  // namespace

std::optional<int> orientation_of_text(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos || first != text.find_last_not_of(kBlanks)) return {};
  const char digit = text[first];
  if (digit < '1' || digit > '8') return {};
  return digit - '0';
}

std::optional<int> xmp_orientation(std::string_view packet, const std::string& name) {
  const XmpReading reading = read_xmp(packet);
  check(reading.understood || !speaks_of_orientation(packet),
        "{}: its XMP speaks of an orientation and cannot be read: it is damaged or written in an "
        "unusual way; export the picture again, upright and without XMP",
        name);
  return reading.orientation;
}

}  // namespace glia
