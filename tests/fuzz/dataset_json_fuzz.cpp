// dataset.json, as text and as JSON of any shape and depth.
#include "engine/import/import_cases.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/scratch.h"
#include "tests/fuzz/structured_json.h"

using namespace glia;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scratch scratch;
  static const bool once = [] {
    for (const char* name : {"a.png", "imagesTr/a_0000.png", "imagesTr/a.png", "labelsTr/a.png"})
      scratch.write(name, "");
    return true;
  }();
  if (size == 0 || !once) return 0;
  const std::string_view rest = view_of(data, size).substr(1);
  const std::string text = data[0] % 2 == 0 ? std::string(rest) : StructuredJson(rest).text();
  const auto file = scratch.write("dataset.json", text);
  feed(scratch.path().string(), [&] {
    const ImportCases found = read_dataset_json(file);
    for (const ImportCase& one : found.cases) {
      require(!one.id.empty() && !one.images.empty() && !one.masks.empty());
      for (const auto& image : one.images)
        require(image.string().starts_with(scratch.path().string()));
    }
  });
  return 0;
}
