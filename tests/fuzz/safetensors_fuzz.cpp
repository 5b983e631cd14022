// safetensors files: raw bytes, a header with the length that belongs to it, and JSON of any shape
// and depth as header.
#include <cstring>

#include "engine/formats/safetensors.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/structured_json.h"

using namespace glia;

namespace {

std::string file_with(std::string header, std::size_t data) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + std::string(data, '\0');
}

void decode(std::string bytes) {
  feed("name: ", [&] {
    const SafeTensors file = decode_safetensors(std::move(bytes), "name", ".num_batches_tracked");
    for (const SafeTensors::Entry& entry : file.entries) {
      std::int64_t numel = 1;
      for (const std::int64_t extent : entry.shape) numel *= extent;
      require(numel == std::ssize(entry.values));
      for (const float value : entry.values) require(value == value || value != value);
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = view_of(data, size);
  if (bytes.empty()) return 0;
  const std::string_view rest = bytes.substr(1);
  switch (bytes[0] % 3) {
    case 0: decode(std::string(rest)); break;
    case 1: decode(file_with(std::string(rest), 64)); break;
    default: decode(file_with(StructuredJson(rest).text(), 64));
  }
  return 0;
}
