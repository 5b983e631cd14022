#include "apps/terminal/plan_table.h"

#include <fmt/format.h>

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

}  // namespace

std::string tensor_table(const StepPlan& plan, std::size_t least) {
  std::string text = fmt::format("  {:<20} {:<32} {:<24} {:>10} {:>10}\n", "layer", "made by",
                                 "shape", "kernels", "MiB");
  std::size_t small = 0, small_bytes = 0;
  for (const PlannedTensor& t : plan.tensors) {
    if (t.bytes < least) {
      ++small;
      small_bytes += t.bytes;
      continue;
    }
    text += fmt::format("{} {:<20} {:<32} {:<24} {:>10} {:>10.2f}\n",
                        t.alive_at(plan.fullest_kernel) ? '*' : ' ', t.layer, t.made_by,
                        t.scratch() ? "scratch" : t.shape, alive(t), mib(t.bytes));
  }
  if (small > 0)
    text += fmt::format("  {:<20} {} smaller ones\n{:>102.2f}\n", "", small, mib(small_bytes));
  return text;
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
  std::string text = fmt::format("fullest at kernel {}{}:\n", plan.step.fullest_kernel,
                                 last ? fmt::format(" ({} {})", last->layer, last->made_by) : "");
  const auto row = [&](const std::string& name, std::size_t bytes) {
    text += fmt::format("  {:<32} {:>10.1f} MiB\n", name, mib(bytes));
  };
  for (const auto& [name, bytes] : at_peak) row(name, bytes);
  if (plan.step.step_bytes > live) row("gaps between them", plan.step.step_bytes - live);
  row("a step", plan.step.step_bytes);
  row("validation, between two steps", plan.step.validation_bytes);
  row("on the device", plan.device());
  row("batches loaded ahead", plan.loader);
  row("the program itself", plan.program);
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
          {"loader_bytes", plan.loader},
          {"program_bytes", plan.program},
          {"fullest_kernel", plan.step.fullest_kernel},
          {"tensors", std::move(tensors)}};
}

}  // namespace glia
