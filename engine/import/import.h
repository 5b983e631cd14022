// Turns image files of other formats and layouts into the folder that training reads: <id>_img.npy,
// <id>_seg.npy, and tables of where each slice came from.
#pragma once

#include <functional>
#include <optional>

#include "engine/data/group.h"
#include "engine/formats/stack.h"
#include "engine/import/import_cases.h"
#include "engine/import/mask_values.h"
#include "engine/import/resample.h"

namespace glia {

/// What the import was told and what it found.
inline constexpr const char* kImportRecord = "import.json";

struct ImportConfig {
  std::filesystem::path data;  // a folder, or a dataset.json, which says itself how files are named
  std::filesystem::path out;   // must not exist, or be empty
  ImportNames names;
  /// What is one patient: "auto", "folder" (the images' folder), "case" (each picture or volume),
  /// or a rule of assign_groups on the cases' ids. "auto" is "case" for volumes and "folder" for
  /// pictures.
  std::string group_by = "auto";
  MaskRule mask;
  StackOptions stack;
  std::optional<Size> resize, pad_to;  // see Fit
  bool stretch = false;                // resizing does not keep the ratio of the sides
  bool allow_outside = false;          // see read_dataset_json
  bool all_problems = false;           // name every one, not the first few of a kind
  bool keep_blank = false;             // also slices that have one value everywhere, and no tumour
};

struct ImportSummary {
  std::int64_t cases = 0, slices = 0, with_tumour = 0, blank = 0;
  std::vector<std::string> patients;
  Size size;
  std::int64_t channels = 0;
  std::map<std::string, std::int64_t> image_kinds, mask_kinds;  // "8-bit RGB PNG": files
  std::vector<std::filesystem::path> unused, foreign;           // see ImportCases
  std::vector<std::string> warnings;  // what may be right and is unusual, a line each
};

/// Writes all of it or nothing. `on_case` hears how many cases of how many are done. Throws `Error`
/// listing every problem: files without partner, damaged ones, masks whose values need a rule (with
/// the flag that mends it), sizes that differ.
ImportSummary import_data(const ImportConfig& config,
                          const std::function<void(std::int64_t, std::int64_t)>& on_case);

}  // namespace glia
