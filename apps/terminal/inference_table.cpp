#include "apps/terminal/inference_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/metrics/evaluation_files.h"

namespace glia {

namespace {

constexpr std::int64_t kMinSize = 20;

}  // namespace

std::vector<Inference> ways_to_compare(const Inference& chosen) {
  const std::int64_t given = chosen.postprocess.min_size;
  const std::int64_t min_size = given > 1 ? given : kMinSize;
  return {{},
          {.flips = true},
          {.postprocess = {.fill_holes = true}},
          {.postprocess = {.keep_largest = true}},
          {.postprocess = {.min_size = min_size}},
          {.flips = true,
           .postprocess = {.fill_holes = true, .keep_largest = true, .min_size = min_size}}};
}

Table inference_table(std::span<const Inference> ways, std::span<const EvaluateResult> results) {
  const bool by_patient = results.front().evaluation.summary().patients > 0;
  Table table{.head = {by_patient ? "means over patients" : "means over slices", "Dice", "IoU",
                       "precision", "sensitivity", "missed", "false positive"},
              .rows = {}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const Summary s = results[i].evaluation.summary();
    const Scores& scores = by_patient ? s.per_patient : s.per_slice;
    table.rows.push_back({ways[i].str(), cell(scores.dice.mean), cell(scores.iou.mean),
                          cell(scores.precision.mean), cell(scores.sensitivity.mean),
                          fmt::format("{}", s.slices_missed),
                          fmt::format("{}", s.slices_false_positive)});
  }
  return table;
}

std::string format_inference_table(const Table& table) {
  const std::size_t first = table.head.front().size();
  const auto line = [&](const std::vector<std::string>& cells) {
    // A name that is longer than its column has a line of its own, so that all fit a terminal.
    const std::string& name = cells.front();
    std::string text = name.size() > first ? fmt::format("{}\n{:<{}}", name, "", first)
                                           : fmt::format("{:<{}}", name, first);
    for (std::size_t i = 1; i < cells.size(); ++i)
      text += fmt::format("{:>{}}", cells[i], std::max<std::size_t>(table.head[i].size(), 6) + 1);
    return text + "\n";
  };
  std::string text = line(table.head);
  for (const auto& row : table.rows) text += line(row);
  std::string note = kInferenceNote;
  note.replace(note.find("; ") + 1, 1, "\n");
  return text + note + "\n";
}

nlohmann::ordered_json inference_table_json(std::span<const Inference> ways,
                                            std::span<const EvaluateResult> results) {
  auto rows = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < ways.size(); ++i) {
    nlohmann::ordered_json row = {{"name", ways[i].str()}, {"inference", ways[i].to_json()}};
    row.update(summary_json(results[i].evaluation.summary()));
    rows.push_back(row);
  }
  return rows;
}

}  // namespace glia
