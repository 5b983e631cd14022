// How far apart the rows and columns of slices are, as import wrote it into their table.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace glia {

/// What a pixel can be long, in mm: beyond it distances are no numbers, or no figures of anything.
inline constexpr double kLeastPixel = 1e-6, kMostPixel = 1e6;
inline bool is_pixel_length(double mm) {
  return mm >= kLeastPixel && mm <= kMostPixel;
}

/// From one row to the next and from one column to the next, in mm.
struct Spacing {
  double row = 0, column = 0;
};

/// By id, what the columns row_mm and column_mm of `table` (see `kSliceTable`) say of `ids`. Slices
/// of which they say nothing are missing; so are all where a column is. Throws `Error` naming file
/// and line where CsvTable::read does, on a length that is no number above 0, and where two lines
/// say different things of one slice.
std::map<std::string, Spacing> read_spacings(const std::filesystem::path& table,
                                             const std::vector<std::string>& ids);

}  // namespace glia
