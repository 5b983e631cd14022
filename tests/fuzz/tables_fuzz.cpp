// manifest.csv and lists of ids: what a table says of an id is what a cell says, and a list selects
// what it names.
#include <algorithm>

#include "engine/base/csv.h"
#include "engine/data/dataset.h"
#include "engine/data/group.h"
#include "engine/data/slice_spacing.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/scratch.h"

using namespace glia;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scratch scratch;
  const std::string text(view_of(data, size));
  const auto table = scratch.write("t.csv", text);
  feed("", [&] {
    for (const auto& [id, group] : assign_groups({"1", "a b", "=x"}, "csv:" + table.string()))
      require(!group.empty());
  });
  feed(scratch.path().string(), [&] {
    for (const auto& [id, spacing] : read_spacings(table, {"1", "a b", "=x"}))
      require(spacing.row > 0 && spacing.column > 0);
  });
  const auto list = scratch.write("list.txt", text);
  feed(scratch.path().string(), [&] {
    const auto chosen = select_samples({{"1", "1_img.npy", {}}, {"a b", "a b_img.npy", {}}}, list);
    require(!chosen.empty() && chosen.size() <= 2);
  });
  // A cell is found again, whatever it holds.
  if (text.find_first_of("\n\r") != std::string::npos || text.find('\0') != std::string::npos)
    return 0;
  const bool blank_ends =
      !text.empty() && (std::string_view(" \t").find(text.front()) != std::string_view::npos ||
                        std::string_view(" \t").find(text.back()) != std::string_view::npos);
  if (text.empty() || blank_ends) return 0;
  scratch.write("t.csv", "id,group\n" + csv_cell(text) + "," + csv_cell(text) + "\n");
  require(assign_groups({text}, "csv:" + table.string()).at(text) == text);
  return 0;
}
