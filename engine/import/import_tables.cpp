#include "engine/import/import_tables.h"

#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia {

namespace {

using Json = nlohmann::ordered_json;

/// A line is a slice: readers of the table need not know of line feeds inside quotes.
std::string cell(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return csv_cell(text);
}

std::string millimetres(double value) {
  return value > 0 ? fmt::format("{:g}", value) : "";
}

Json size_json(const std::optional<Size>& size) {
  return size ? Json{size->height, size->width} : Json();
}

}  // namespace

void write_slice_table(const std::filesystem::path& file, const std::vector<SliceRow>& rows) {
  std::string text = "id,group,slice,image,mask,row_mm,column_mm\n";
  for (const SliceRow& row : rows)
    text += fmt::format("{},{},{},{},{},{},{}\n", cell(row.id), cell(row.group), row.slice,
                        cell(row.image), cell(row.mask), millimetres(row.row_mm),
                        millimetres(row.column_mm));
  write_file_atomically(file, text);
}

void write_import_record(const std::filesystem::path& file, const ImportConfig& config,
                         const ImportSummary& summary) {
  const auto names = [](const std::vector<std::filesystem::path>& paths) {
    Json list = Json::array();
    for (const std::filesystem::path& path : paths) list.push_back(path.string());
    return list;
  };
  const Json json = {
      {"made_by", "glia import"},
      {"data", std::filesystem::absolute(config.data).string()},
      {"images", config.names.images.string()},
      {"masks", config.names.masks.string()},
      {"image_suffixes", config.names.image_suffixes},
      {"mask_suffix", config.names.mask_suffix},
      {"group_by", config.group_by},
      {"labels", config.mask.labels},
      {"mask_threshold", config.mask.threshold ? Json(*config.mask.threshold) : Json()},
      {"plane", name_of(config.stack.plane)},
      {"orientation", config.stack.as_stored ? "stored" : "header"},
      {"take_channels", config.stack.take_channels},
      {"mask_channel", config.stack.mask_channel ? Json(*config.stack.mask_channel) : Json()},
      {"join_masks", config.names.join_masks},
      {"resize", size_json(config.resize)},
      {"stretch", config.stretch},
      {"pad_to", size_json(config.pad_to)},
      {"keep_blank", config.keep_blank},
      {"cases", summary.cases},
      {"patients", summary.patients.size()},
      {"slices", summary.slices},
      {"with_tumour", summary.with_tumour},
      {"blank_left_out", summary.blank},
      {"shape", {summary.size.height, summary.size.width, summary.channels}},
      {"image_kinds", summary.image_kinds},
      {"mask_kinds", summary.mask_kinds},
      {"unused", names(summary.unused)},
      {"other_formats", names(summary.foreign)},
      {"warnings", summary.warnings}};
  write_file_atomically(file, json_text(json, 2) + "\n");
}

}  // namespace glia
