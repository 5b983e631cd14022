#include "apps/terminal/plan_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/bytes.h"

namespace glia {

namespace {

std::string kind_of(const PlannedTensor& tensor) {
  if (tensor.scratch()) return "scratch memory of kernels";
  if (tensor.layer.empty()) return tensor.made_by;
  const bool backward = tensor.made_by.find("backward") != std::string::npos ||
                        tensor.made_by.find("grad") != std::string::npos;
  return backward ? "gradients of activations" : "activations";
}

std::string alive(const PlannedTensor& tensor) {
  if (tensor.last == PlannedTensor::kKept) return fmt::format("{}-", tensor.first);
  return fmt::format("{}-{}", tensor.first, tensor.last);
}

/// "[6,240,240,32] f32": without the blanks, so that rows fit a terminal.
std::string shape_of(const PlannedTensor& tensor) {
  if (tensor.scratch()) return "scratch";
  std::string text = tensor.shape;
  for (std::size_t at = 0; (at = text.find(", ", at)) != std::string::npos;) text.erase(at + 1, 1);
  return text;
}

using Row = std::array<std::string, 5>;

/// Columns as wide as what is in them; the last two are figures.
std::string aligned(const std::vector<Row>& rows, const std::vector<char>& marks) {
  std::array<std::size_t, 5> width{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    text += fmt::format("{} {:<{}} {:<{}} {:<{}} {:>{}} {:>{}}\n", marks[i], row[0], width[0],
                        row[1], width[1], row[2], width[2], row[3], width[3], row[4], width[4]);
  }
  return text;
}

}  // namespace

std::string tensor_table(const StepPlan& plan, std::size_t least) {
  std::vector<Row> rows{{"layer", "made by", "shape", "kernels", "MiB"}};
  std::vector<char> marks{' '};
  std::size_t small = 0, small_bytes = 0;
  for (const PlannedTensor& t : plan.tensors) {
    if (t.bytes < least) {
      ++small;
      small_bytes += t.bytes;
      continue;
    }
    rows.push_back(
        {t.layer, t.made_by, shape_of(t), alive(t), fmt::format("{:.2f}", mib(t.bytes))});
    marks.push_back(t.alive_at(plan.fullest_kernel) ? '*' : ' ');
  }
  if (small > 0) {
    rows.push_back({"", fmt::format("{} smaller ones", small), "", "",
                    fmt::format("{:.2f}", mib(small_bytes))});
    marks.push_back(' ');
  }
  return aligned(rows, marks);
}

std::string memory_summary(const ProcessPlan& plan) {
  std::map<std::string, std::size_t> at_peak;
  std::size_t live = 0;
  const PlannedTensor* last = nullptr;
  for (const PlannedTensor& t : plan.step.tensors) {
    if (t.alive_at(plan.step.fullest_kernel)) {
      at_peak[kind_of(t)] += t.bytes;
      live += t.bytes;
    }
    if (t.first <= plan.step.fullest_kernel && !t.layer.empty()) last = &t;
  }
  std::string text;
  if (plan.ranks > 1 || plan.in_turn > 1)
    text += fmt::format("one of {} rank{}, {} shard{} in turn\n", plan.ranks,
                        plan.ranks > 1 ? "s" : "", plan.in_turn, plan.in_turn > 1 ? "s" : "");
  text += fmt::format("fullest at kernel {}{}:\n", plan.step.fullest_kernel,
                      last ? fmt::format(" ({} {})", last->layer, last->made_by) : "");
  const auto row = [&](const std::string& name, std::size_t bytes) {
    text += fmt::format("  {:<32} {:>10.1f} MiB\n", name, mib(bytes));
  };
  for (const auto& [name, bytes] : at_peak) row(name, bytes);
  if (plan.step.step_bytes > live) row("gaps between them", plan.step.step_bytes - live);
  row("a step", plan.step.step_bytes);
  row("validation, between two steps", plan.step.validation_bytes);
  if (plan.resident > 0) row("slices, kept there", plan.resident);
  row("on the device", plan.device());
  row("batches loaded ahead", plan.loader);
  row("the program itself", plan.program);
  if (plan.ranks > 1)
    row(fmt::format("{} ranks in one process", plan.ranks),
        plan.ranks * (plan.device() + plan.loader) + plan.program);
  return text;
}

nlohmann::ordered_json to_json(const ProcessPlan& plan) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const PlannedTensor& t : plan.step.tensors) {
    nlohmann::ordered_json row = {{"layer", t.layer},
                                  {"made_by", t.made_by},
                                  {"kind", kind_of(t)},
                                  {"shape", t.shape},
                                  {"bytes", t.bytes},
                                  {"first_kernel", t.first},
                                  {"at_the_fullest", t.alive_at(plan.step.fullest_kernel)}};
    if (t.last != PlannedTensor::kKept) row["last_kernel"] = t.last;
    tensors.push_back(std::move(row));
  }
  return {{"device_bytes", plan.device()},
          {"step_bytes", plan.step.step_bytes},
          {"validation_bytes", plan.step.validation_bytes},
          {"resident_bytes", plan.resident},
          {"loader_bytes", plan.loader},
          {"program_bytes", plan.program},
          {"ranks", plan.ranks},
          {"shards_in_turn", plan.in_turn},
          {"fullest_kernel", plan.step.fullest_kernel},
          {"tensors", std::move(tensors)}};
}

}  // namespace glia
