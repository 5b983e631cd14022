// CSV tables as spreadsheets write them: a header line that names the columns, then a row a line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glia {

/// A cell may stand in quotes, and hold commas there, and quotes if they are doubled. Blanks around
/// cells, empty lines and a byte order mark do not count; quotes against formulas
/// (engine/base/csv.h) stay.
struct CsvTable {
  struct Row {
    std::size_t line = 0;            // in the file, from 1
    std::vector<std::string> cells;  // one a column
  };

  std::filesystem::path file;
  std::vector<std::string> header;
  std::vector<Row> rows;

  /// Throws `Error` naming file and line where the file cannot be read or a row has another number
  /// of cells than the header.
  static CsvTable read(const std::filesystem::path& file);

  std::optional<std::size_t> find_column(std::string_view name) const;
};

}  // namespace glia
