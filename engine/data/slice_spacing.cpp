#include "engine/data/slice_spacing.h"

#include <charconv>
#include <set>

#include "engine/base/check.h"
#include "engine/base/csv.h"
#include "engine/data/csv_table.h"

namespace glia {

namespace {

double length_of(const std::string& cell, const CsvTable& table, std::size_t line) {
  double length = 0;
  const char* last = cell.data() + cell.size();
  const auto [end, error] = std::from_chars(cell.data(), last, length);
  check(error == std::errc() && end == last && is_pixel_length(length),
        "{}:{}: the length '{}' is no number of mm from {} to {}", table.file.string(), line, cell,
        kLeastPixel, kMostPixel);
  return length;
}

}  // namespace

std::map<std::string, Spacing> read_spacings(const std::filesystem::path& file,
                                             const std::vector<std::string>& ids) {
  const CsvTable table = CsvTable::read(file);
  const auto id = table.find_column("id"), row = table.find_column("row_mm"),
             column = table.find_column("column_mm");
  std::map<std::string, Spacing> spacings;
  if (!id || !row || !column) return spacings;
  const std::set<std::string> wanted(ids.begin(), ids.end());
  for (const CsvTable::Row& line : table.rows) {
    const std::string name = csv_text(line.cells[*id]);
    if (!wanted.contains(name) || line.cells[*row].empty() || line.cells[*column].empty()) continue;
    const Spacing spacing{length_of(line.cells[*row], table, line.line),
                          length_of(line.cells[*column], table, line.line)};
    const auto [entry, is_new] = spacings.emplace(name, spacing);
    check(is_new || (entry->second.row == spacing.row && entry->second.column == spacing.column),
          "{}:{}: the slice {} has other distances above; keep one line", file.string(), line.line,
          name);
  }
  return spacings;
}

}  // namespace glia
