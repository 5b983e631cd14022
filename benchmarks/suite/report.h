// What a benchmark found, as text for a terminal and as JSON and CSV for everything else.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/if_there.h"
#include "benchmarks/suite/floors.h"
#include "benchmarks/suite/measure.h"

namespace glia::bench {

/// A kernel at the shape and pitches that some layers of a step have, or a case.
struct KernelResult {
  std::int64_t base_width = 0, batch_size = 0;  // of the step; 0 for a case
  Row row;
  std::vector<Measurement> measurements;  // a backend each
};

struct StepResult {
  RecordedStep step;
  std::vector<Floor> floors;
  std::vector<StepMeasurement> measurements;
};

struct Report {
  std::string title;  // of the roofline
  nlohmann::ordered_json environment = {}, settings = {};
  std::vector<std::string> backends = {};
  std::vector<Ceiling> ceilings = {};
  Peaks peaks = {};  // of the first backend's device, or as they were given
  std::vector<StepResult> steps = {};
  std::vector<KernelResult> kernels = {};
  std::size_t layer_width = 20, op_width = 16, shape_width = 23;  // columns of the table
};

/// Widens the columns of the table to what these rows need.
void fit_columns(Report& report, const std::vector<Row>& rows);
/// The two lines above the table of kernels.
std::string table_header(const Report& report);
/// A line a backend.
std::string table_lines(const Report& report, const KernelResult& result);
/// Steps a second, memory and the floors.
std::string step_text(const StepResult& result);

/// What a backend's rows of one configuration take together, each as often as the step calls it.
struct Total {
  std::string backend;
  std::size_t calls = 0, untimed = 0;  // calls of the step, and those of rows without samples
  double seconds = 0;                  // of those with samples
  double ratio_to_first = 0;           // over the first backend's; 0 where either lacks a time
};
/// One a backend of the report.
std::vector<Total> totals(const Report& report, std::int64_t base_width, std::int64_t batch_size);
/// The totals of the rows of `step`, a line a backend; "" without rows.
std::string total_text(const Report& report, const RecordedStep& step);

/// By how much `of` is faster than its peer, the first other backend of the row (the row's first
/// backend, for all others): the peer's median over this one's. 0 without a peer.
double ratio_to_peer(const std::vector<Measurement>& row, std::size_t of);

/// An object a row and backend, raw samples included. docs/benchmarks.md names the fields.
nlohmann::ordered_json to_json(const Report& report);
/// The rows without the samples, a line each.
std::string to_csv(const Report& report);

/// The files that `write_report` may write.
std::vector<std::string> report_names();
/// Writes bench.json, bench.csv and roofline.svg into a folder, which is created. Each is whole or
/// not there. Throws `Error` naming the file that cannot be written.
void write_report(const Report& report, const std::string& folder,
                  IfThere if_there = IfThere::replace);

}  // namespace glia::bench
