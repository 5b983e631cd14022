// What each option between network and mask is worth: the scores with it on and off, in one table.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/report/page.h"
#include "engine/train/evaluate.h"

namespace glia {

/// Nothing, each option alone, and all of them. Small regions are those below `chosen`'s size, or
/// of fewer than 20 pixels where that names none.
std::vector<Inference> ways_to_compare(const Inference& chosen);

/// How to read the columns "missed" and "false positive".
inline constexpr const char* kInferenceNote =
    "missed: slices with tumour where nothing was predicted; false positive: slices without where "
    "something was";

/// A row a way: means over patients, or over slices where patients are not known.
Table inference_table(std::span<const Inference> ways, std::span<const EvaluateResult> results);

/// The same as plain text for a terminal, with the note. Ends in a newline.
std::string format_inference_table(const Table& table);

/// A list of summaries, each with its "name" and "inference".
nlohmann::ordered_json inference_table_json(std::span<const Inference> ways,
                                            std::span<const EvaluateResult> results);

}  // namespace glia
