#include <expat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "engine/formats/xmp.h"

namespace glia {

namespace {

// Names as expat gives them: the namespace, the separator, the name.
constexpr char kSeparator = '|';
constexpr std::string_view kRdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#|RDF",
                           kDescription = "http://www.w3.org/1999/02/22-rdf-syntax-ns#|Description",
                           kOrientation = "http://ns.adobe.com/tiff/1.0/|Orientation";
constexpr std::size_t kMaxPacket = std::size_t{16} << 20;  // of expat's buffer, an int

/// What a packet in UTF-16 without a byte order mark is called; expat knows the others by itself.
const char* encoding_of(std::string_view packet) {
  if (packet.starts_with(std::string_view("<\0", 2))) return "UTF-16LE";
  if (packet.starts_with(std::string_view("\0<", 2))) return "UTF-16BE";
  return nullptr;
}

/// One pass over a packet. Allocates nothing itself: expat's frames know no exceptions.
class Packet {
 public:
  explicit Packet(XML_Parser parser) : parser_(parser) {
    XML_SetUserData(parser, this);
    XML_SetElementHandler(
        parser,
        [](void* self, const char* name, const char** attributes) {
          static_cast<Packet*>(self)->start(name, attributes);
        },
        [](void* self, const char*) { static_cast<Packet*>(self)->end(); });
    XML_SetCharacterDataHandler(parser, [](void* self, const char* text, int length) {
      static_cast<Packet*>(self)->add({text, static_cast<std::size_t>(length)});
    });
    XML_SetStartDoctypeDeclHandler(parser,
                                   [](void* self, const char*, const char*, const char*, int) {
                                     XML_StopParser(static_cast<Packet*>(self)->parser_, XML_FALSE);
                                   });
  }

  XmpReading read(std::string_view packet) {
    const XML_Status status =
        XML_Parse(parser_, packet.data(), static_cast<int>(packet.size()), XML_TRUE);
    return {status == XML_STATUS_OK || whole_, orientation_};
  }

 private:
  void start(std::string_view name, const char** attributes) {
    ++depth_;
    if (rdf_ == 0 && name == kRdf) rdf_ = depth_;
    if (rdf_ != 0 && depth_ == rdf_ + 1 && name == kDescription) {
      description_ = depth_;
      for (; *attributes != nullptr; attributes += 2)
        if (attributes[0] == kOrientation) note(attributes[1]);
    }
    if (description_ != 0 && depth_ == description_ + 1 && name == kOrientation) {
      property_ = depth_;
      length_ = 0;
    }
  }

  void end() {
    if (depth_ == property_) note({text_.data(), length_});
    for (int* level : {&property_, &description_, &rdf_})
      if (*level == depth_) *level = 0;
    if (--depth_ > 0) return;
    whole_ = true;  // what follows is padding, in some files of null bytes
    XML_StopParser(parser_, XML_FALSE);
  }

  void add(std::string_view text) {
    if (property_ == 0) return;
    const std::size_t room = std::min(text.size(), text_.size() - length_);
    std::copy_n(text.begin(), room, text_.begin() + static_cast<std::ptrdiff_t>(length_));
    length_ += room;
  }

  void note(std::string_view value) {
    if (!orientation_) orientation_ = orientation_of_text(value);
  }

  XML_Parser parser_;
  std::optional<int> orientation_;
  bool whole_ = false;
  int depth_ = 0, rdf_ = 0, description_ = 0, property_ = 0;  // of elements that are open, else 0
  std::array<char, 64> text_{};
  std::size_t length_ = 0;
};

}  // namespace

XmpReading read_xmp(std::string_view packet) {
  packet.remove_prefix(std::min(packet.find_first_not_of(" \t\r\n"), packet.size()));
  if (packet.size() > kMaxPacket) return {.understood = false};
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreateNS(encoding_of(packet), kSeparator), &XML_ParserFree);
  if (parser == nullptr) throw std::bad_alloc();
  return Packet(parser.get()).read(packet);
}

}  // namespace glia
