// The orientation in a picture's XMP packet (ISO 16684-1), which is XML.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace glia {

/// What a packet says, as far as this build can tell.
struct XmpReading {
  bool understood = true;
  std::optional<int> orientation = {};  // 1 to 8
};

/// With expat where Glia is built with the formats' libraries: UTF-8 or UTF-16, any prefix, and no
/// document type, so that no entity can be defined. Without them only packets are understood in
/// which nothing can mean something else: the prefix tiff, one declaration of it, no comments.
XmpReading read_xmp(std::string_view packet);

/// The property Orientation of the namespace http://ns.adobe.com/tiff/1.0/, as an attribute or an
/// element of a description; the first that is 1 to 8. It counts where EXIF says nothing, as the
/// Metadata Working Group has it. Throws `Error`, led by `name`, where the packet is not understood
/// and speaks of an orientation.
std::optional<int> xmp_orientation(std::string_view packet, const std::string& name);

/// 1 to 8, with blanks around it; nothing otherwise.
std::optional<int> orientation_of_text(std::string_view text);

}  // namespace glia
