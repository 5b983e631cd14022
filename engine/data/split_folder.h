// A split on disk: lists of ids, a manifest of how they came about and, when asked for, the files
// themselves in folders such as Train/Yes (with tumour) and Val/No (without).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/data/split.h"

namespace glia {

enum class Materialize { none, copy, link };

struct SplitRequest {
  std::filesystem::path data, out;
  SplitConfig config;
  Materialize materialize = Materialize::none;
  bool overwrite = false;  // replace the split that `out` holds
};

struct PartSummary {
  std::string name;  // "train", "val" or "test"
  std::int64_t slices = 0, groups = 0, with_tumour = 0;
};

struct SplitSummary {
  std::vector<PartSummary> parts;  // those that are not empty
  bool leaking = false;
  std::int64_t shared = 0;  // see count_shared
};

/// Said wherever a split by slice is used.
inline constexpr const char* kLeakNote = "slices of one patient may stand on both sides";

/// Splits the slices below `data` and writes train.txt, val.txt, test.txt (those that are not
/// empty) and manifest.json to `out`, all at once or nothing. `on_slice` hears how many slices of
/// how many were read, and may throw to stop. Throws `Error` when `out` holds something and
/// `overwrite` is not set, when it would replace or lie among the data, and where scan_pairs,
/// load_mask, split_ids and Staging do.
SplitSummary write_split(
    const SplitRequest& request,
    const std::function<void(std::int64_t, std::int64_t)>& on_slice = [](auto, auto) {});

/// The rule that the split in `folder` was made by (see assign_groups); empty where its manifest is
/// not there or not one of write_split. Throws `Error` naming the manifest when it is no JSON.
std::string rule_of_split(const std::filesystem::path& folder);

/// A rule as assign_groups takes it, from the text that a split's manifest holds, where the path of
/// a table is written by text_of_path.
std::string rule_of_text(const std::string& text);

}  // namespace glia
