// How large the pixels of evaluated slices are, and who says so.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/metrics/distance.h"

namespace glia {

struct PixelSizes {
  std::map<std::string, PixelSize> of;     // in mm, by the id of the slice; empty when not known
  std::string source;                      // for people: who says so
  std::vector<std::string> warnings = {};  // why they are not known though something is said

  bool known() const { return !of.empty(); }
  /// For people: the size, or the smallest and the largest by area where slices differ.
  std::string str() const;
  /// [row, column]; [[row, column], [row, column]], the smallest and the largest, where slices
  /// differ; [] when not known.
  nlohmann::ordered_json to_json() const;
};

/// `given` (--pixel-size: nothing, or row and column) for all of `ids`, else what the `kSliceTable`
/// in the folder `data` says of each, if it speaks of all. Throws `Error` when what is given is no
/// size.
PixelSizes find_pixel_sizes(const std::vector<std::string>& ids, const std::vector<double>& given,
                            const std::filesystem::path& data);

}  // namespace glia
