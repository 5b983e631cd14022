// Text that is shown, and JSON as such.
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "tests/fuzz/feed.h"

using namespace glia;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = view_of(data, size);
  for (const std::string& shown : {printable(text), printable_name(text)}) {
    require(printable(shown) == shown);
    require(shown.find('\x1B') == std::string::npos);
  }
  feed("name: ", [&] {
    const nlohmann::json json = parse_json(text, "name");
    require(parse_json(json_text(json), "name") == json);
  });
  return 0;
}
