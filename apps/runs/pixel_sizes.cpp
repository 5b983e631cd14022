#include "apps/runs/pixel_sizes.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/data/group.h"
#include "engine/data/slice_spacing.h"

namespace glia {

namespace {

std::string text(double row, double column) {
  return fmt::format("{:g} x {:g} mm", row, column);
}

using Sizes = std::map<std::string, PixelSize>;

std::pair<PixelSize, PixelSize> extremes(const Sizes& sizes) {
  const auto [least, most] = std::minmax_element(
      sizes.begin(), sizes.end(), [](const Sizes::value_type& a, const Sizes::value_type& b) {
        const PixelSize &p = a.second, &q = b.second;
        return std::pair(p.row * p.column, p.row) < std::pair(q.row * q.column, q.row);
      });
  return {least->second, most->second};
}

bool same(const PixelSize& a, const PixelSize& b) {
  return a.row == b.row && a.column == b.column;
}

/// Of a table that speaks of some slices only.
std::string half_known(const std::map<std::string, Spacing>& known,
                       const std::vector<std::string>& ids, const std::filesystem::path& table) {
  std::vector<std::string> missing;
  for (const std::string& id : ids)
    if (!known.contains(id)) missing.push_back(id);
  const auto& [id, size] = *known.begin();
  return fmt::format(
      "HD95 is in pixels: {} says that those of {} are {}, and nothing of {} of {} slices: {}; "
      "pass "
      "--pixel-size ROW,COLUMN",
      table.string(), id, text(size.row, size.column), missing.size(), ids.size(),
      first_few(missing, 3));
}

}  // namespace

std::string PixelSizes::str() const {
  if (!known()) return "unknown";
  const auto [least, most] = extremes(of);
  if (same(least, most)) return fmt::format("{} ({})", text(least.row, least.column), source);
  return fmt::format("{} to {}, each slice by its own ({})", text(least.row, least.column),
                     text(most.row, most.column), source);
}

nlohmann::ordered_json PixelSizes::to_json() const {
  using Json = nlohmann::ordered_json;
  if (!known()) return Json::array();
  const auto [least, most] = extremes(of);
  const Json one = {least.row, least.column}, other = {most.row, most.column};
  return same(least, most) ? one : Json::array({one, other});
}

PixelSizes find_pixel_sizes(const std::vector<std::string>& ids, const std::vector<double>& given,
                            const std::filesystem::path& data) {
  PixelSizes sizes{.of = {}, .source = "--pixel-size"};
  if (!given.empty()) {
    check(given.size() == 2 && is_pixel_length(given[0]) && is_pixel_length(given[1]),
          "--pixel-size: expected two lengths from {} to {} mm, rows and columns, for example "
          "0.9,0.9",
          kLeastPixel, kMostPixel);
    for (const std::string& id : ids) sizes.of[id] = {given[0], given[1]};
    return sizes;
  }
  sizes.source = "the table beside the slices";
  const std::filesystem::path table = data / kSliceTable;
  if (!std::filesystem::exists(table)) return sizes;
  std::map<std::string, Spacing> spacings;
  try {
    spacings = read_spacings(table, ids);
  } catch (const Error& error) {
    sizes.warnings.push_back(fmt::format(
        "HD95 is in pixels: {}; mend it, or pass --pixel-size ROW,COLUMN", error.what()));
    return sizes;
  }
  if (!spacings.empty() && spacings.size() < ids.size()) {
    sizes.warnings.push_back(half_known(spacings, ids, table));
    return sizes;
  }
  for (const auto& [id, spacing] : spacings) sizes.of[id] = {spacing.row, spacing.column};
  return sizes;
}

}  // namespace glia
