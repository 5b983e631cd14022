#include "benchmarks/suite/report.h"

#include <cmath>
#include <filesystem>
#include <set>

#include "benchmarks/suite/roofline_chart.h"
#include "benchmarks/suite/statistics.h"
#include "engine/base/file.h"

namespace glia::bench {

namespace {

using Json = nlohmann::ordered_json;

void add_summary(Json& json, const std::string& name, const std::vector<double>& samples) {
  if (samples.empty()) return;
  const Summary s = summarize(samples);
  json[name + "_s"] = s.median;
  json[name + "_p20_s"] = s.p20;
  json[name + "_p80_s"] = s.p80;
}

/// JSON has no number for what is not finite, and null is what was not measured.
Json error_json(double error) {
  return std::isfinite(error) ? Json(error) : Json(fmt::format("{}", error));
}

/// Medians of what the GPU said of itself, null where nothing did.
template <class Result>
void add_states(Json& json, const Result& m) {
  const auto median = [&](const auto& field) {
    std::vector<double> values;
    for (const GpuState& state : m.states) values.push_back(static_cast<double>(state.*field));
    return values.empty() ? Json() : Json(summarize(values).median);
  };
  json["sm_mhz"] = median(&GpuState::sm_mhz);
  json["memory_mhz"] = median(&GpuState::memory_mhz);
  json["watts"] = median(&GpuState::watts);
  json["throttled"] = m.throttled;
}

Json kernel_json(const Report& report, const KernelResult& result, std::size_t index) {
  const Call& call = result.row.call;
  const Measurement& m = result.measurements[index];
  const Extent& e = call.extent;
  const bool of_step = result.base_width > 0;
  Json json = {{"base_width", of_step ? Json(result.base_width) : Json()},
               {"batch_size", of_step ? Json(result.batch_size) : Json()},
               {"layer", result.row.layers.front()},
               {"calls", result.row.layers.size()},
               {"op", call.op},
               {"phase", name_of(call.phase)},
               {"kernel", call.kernel},
               {"N", e.N},
               {"H", e.H},
               {"W", e.W},
               {"C", e.C},
               {"K", e.K},
               {"R", e.R},
               {"S", e.S},
               {"stride", e.stride},
               {"pad", e.pad},
               {"dtype", name_of(call.type())},
               {"layout", "nhwc"},
               {"implementation", m.backend},
               {"problem", m.problem},
               {"flops", call.flops},
               {"bytes", call.bytes()},
               {"flops_per_byte", call.flops / call.bytes()}};
  for (const char* name :
       {"warm_s", "warm_p20_s", "warm_p80_s", "cold_s", "cold_p20_s", "cold_p80_s", "gflops_per_s",
        "gbytes_per_s", "roofline_s", "roofline_share", "bound", "ratio_to_peer", "max_error",
        "relative_error", "deterministic"})
    json[name] = nullptr;  // every row has every column
  if (!m.warm.empty()) {
    const double seconds = summarize(m.warm).median;
    add_summary(json, "warm", m.warm);
    add_summary(json, "cold", m.cold);
    json["gflops_per_s"] = 1e-9 * call.flops / seconds;
    json["gbytes_per_s"] = 1e-9 * call.bytes() / seconds;
    if (const Roof limit = roof(report.peaks, call.flops, call.bytes(), m.arithmetic);
        limit.seconds > 0) {
      json["roofline_s"] = limit.seconds;
      json["roofline_share"] = limit.seconds / seconds;
      json["bound"] = limit.bound_by_compute ? "compute" : "memory";
    }
    if (const double ratio = ratio_to_peer(result.measurements, index); ratio > 0)
      json["ratio_to_peer"] = ratio;
  }
  if (m.checked) {
    json["max_error"] = error_json(m.accuracy.max_error);
    json["relative_error"] = error_json(m.accuracy.relative_error);
    json["deterministic"] = m.accuracy.deterministic;
  }
  json["algorithm"] = m.algorithm.empty() ? Json() : Json(m.algorithm);
  json["stride_w"] = e.stride_w;
  json["pad_left"] = e.pad_left;
  json["arithmetic"] = name_of(m.arithmetic);
  json["repeats"] = m.repeats;
  add_states(json, m);
  json["captured"] = m.captured;
  json["capture_problem"] = m.capture_problem;
  return json;
}

Json total_json(std::int64_t base_width, std::int64_t batch_size, const Total& total) {
  Json json = {{"base_width", base_width},        {"batch_size", batch_size},
               {"implementation", total.backend}, {"calls", total.calls},
               {"untimed", total.untimed},        {"warm_s", nullptr},
               {"ratio_to_first", nullptr}};
  if (total.untimed == 0) json["warm_s"] = total.seconds;
  if (total.ratio_to_first > 0) json["ratio_to_first"] = total.ratio_to_first;
  return json;
}

Json step_json(const StepResult& result, const StepMeasurement& m) {
  const RecordedStep& step = result.step;
  Json json = {{"op", name_of(step.whole)},
               {"base_width", step.config.base_width},
               {"depth", step.config.depth},
               {"batch_size", step.batch_size},
               {"size", step.size},
               {"parameters", step.parameters},
               {"dtype", name_of(step.activations)},
               {"implementation", m.backend},
               {"mode", m.mode},
               {"precision", m.precision},
               {"problem", m.problem},
               {"flops", step.flops()},
               {"planned_bytes", step.planned_bytes},
               {"peak_bytes", m.peak_bytes},
               {"launches", Json::object()}};
  for (const auto& [name, count] : m.launches) json["launches"][name] = count;
  add_summary(json, "step", m.seconds);
  if (!m.seconds.empty())
    json["images_per_s"] = static_cast<double>(step.batch_size) / json["step_s"].get<double>();
  add_states(json, m);
  json["floors"] = Json::array();
  for (const Floor& floor : result.floors) {
    Json entry = {{"name", floor.name},   {"what", floor.what},       {"flops", floor.flops},
                  {"bytes", floor.bytes}, {"kernels", floor.kernels}, {"floor_s", floor.seconds}};
    if (floor.seconds > 0) {
      entry["compute_share"] = floor.compute_seconds / floor.seconds;
      if (!m.seconds.empty()) entry["reached"] = floor.seconds / json["step_s"].get<double>();
    }
    json["floors"].push_back(entry);
  }
  json["samples_s"] = m.seconds;
  return json;
}

std::string csv_cell(const Json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

nlohmann::ordered_json to_json(const Report& report) {
  Json json = {{"format", 1},
               {"program", "glia bench"},
               {"environment", report.environment},
               {"settings", report.settings},
               {"peaks", peaks_json(report.peaks)},
               {"ceilings", ceilings_json(report.ceilings)},
               {"steps", Json::array()},
               {"totals", Json::array()},
               {"rows", Json::array()}};
  for (const StepResult& result : report.steps)
    for (const StepMeasurement& m : result.measurements)
      json["steps"].push_back(step_json(result, m));
  std::set<std::pair<std::int64_t, std::int64_t>> configurations;
  for (const KernelResult& result : report.kernels)
    if (result.base_width > 0) configurations.emplace(result.base_width, result.batch_size);
  for (const auto& [base_width, batch_size] : configurations)
    for (const Total& total : totals(report, base_width, batch_size))
      json["totals"].push_back(total_json(base_width, batch_size, total));
  for (const KernelResult& result : report.kernels)
    for (std::size_t i = 0; i < result.measurements.size(); ++i) {
      Json row = kernel_json(report, result, i);
      row["layers"] = result.row.layers;
      row["samples_s"] = {{"warm", result.measurements[i].warm},
                          {"cold", result.measurements[i].cold}};
      json["rows"].push_back(row);
    }
  return json;
}

std::string to_csv(const Report& report) {
  std::string csv;
  for (const KernelResult& result : report.kernels)
    for (std::size_t i = 0; i < result.measurements.size(); ++i) {
      const Json row = kernel_json(report, result, i);
      std::string names, values;
      for (const auto& [name, value] : row.items()) {
        names += (names.empty() ? "" : ",") + name;
        values += (values.empty() ? "" : ",") + csv_cell(value);
      }
      if (csv.empty()) csv = names + "\n";
      csv += values + "\n";
    }
  return csv;
}

std::vector<std::string> report_names() {
  return {"bench.json", "bench.csv", "roofline.svg"};
}

void write_report(const Report& report, const std::string& folder, IfThere if_there) {
  const std::filesystem::path path = folder;
  make_folder(path);
  write_file_atomically(path / "bench.json", to_json(report).dump(1) + "\n", if_there);
  if (report.kernels.empty()) return;
  write_file_atomically(path / "bench.csv", to_csv(report), if_there);
  if (report.peaks.known())
    write_file_atomically(path / "roofline.svg", roofline_svg(report), if_there);
}

}  // namespace glia::bench
