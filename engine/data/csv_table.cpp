#include "engine/data/csv_table.h"

#include <algorithm>
#include <sstream>

#include "engine/base/check.h"
#include "engine/base/file.h"

namespace glia {

namespace {

std::string trimmed(const std::string& cell) {
  const std::size_t first = std::min(cell.find_first_not_of(" \t\r"), cell.size());
  return cell.substr(first, cell.find_last_not_of(" \t\r") + 1 - first);
}

std::vector<std::string> csv_cells(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool doubled = quoted && line.substr(i, 2) == "\"\"";
    if (line[i] == '"' && !doubled) {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell += line[i];
      if (doubled) ++i;
    }
  }
  cells.push_back(trimmed(cell));
  return cells;
}

}  // namespace

CsvTable CsvTable::read(const std::filesystem::path& file) {
  std::istringstream lines(read_text(file));
  std::string line;
  std::getline(lines, line);
  CsvTable table{.file = file, .header = csv_cells(line), .rows = {}};
  for (std::size_t number = 2; std::getline(lines, line); ++number) {
    Row row{number, csv_cells(line)};
    if (row.cells == std::vector<std::string>{""}) continue;
    check(row.cells.size() == table.header.size(),
          "{}:{}: expected {} cells, one a column, found {}", file.string(), number,
          table.header.size(), row.cells.size());
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::optional<std::size_t> CsvTable::find_column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

}  // namespace glia
