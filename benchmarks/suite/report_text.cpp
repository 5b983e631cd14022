// The table on a terminal: as narrow as it can be and still say what decides.
#include <algorithm>

#include "benchmarks/suite/report.h"
#include "benchmarks/suite/statistics.h"
#include "engine/base/bytes.h"

namespace glia::bench {

namespace {

/// "0.0123", "1.234", "123.4", "2e-05": what fits into seven columns.
std::string number(double value) {
  if (value >= 1000) return fmt::format("{:.0f}", value);
  if (value >= 100) return fmt::format("{:.1f}", value);
  if (value >= 10) return fmt::format("{:.2f}", value);
  if (value > 0 && value < 0.001) return fmt::format("{:.0e}", value);
  return fmt::format("{:.{}f}", value, value >= 1 || value == 0 ? 3 : 4);
}

/// "1.234", "0.000060": down to the nanosecond, in eight columns.
std::string milliseconds(double seconds) {
  return seconds < 1e-5 ? fmt::format("{:.6f}", 1e3 * seconds) : number(1e3 * seconds);
}

/// "1.02x", "1560x", "0.0006x": in seven columns.
std::string times(double ratio) {
  return ratio >= 100 ? fmt::format("{:.0f}x", ratio)
                      : fmt::format("{:.{}f}x", ratio, ratio >= 0.1 ? 2 : 4);
}

std::string percent(double share) {
  return fmt::format("{:.0f}%", 100 * share);
}

/// "encoder.1.conv2 +1": the first layer and how many more there are.
std::string layers_text(const Row& row) {
  const std::size_t more = row.layers.size() - 1;
  return row.layers.front() + (more > 0 ? fmt::format(" +{}", more) : "");
}

std::string line(const Report& report, const std::string& layer, const std::string& op,
                 const std::string& phase, const std::string& shape, const std::string& backend,
                 const std::string& rest) {
  std::size_t width = std::string("backend").size();
  for (const std::string& name : report.backends) width = std::max(width, name.size());
  const std::string who = report.backends.size() > 1 ? fmt::format(" {:<{}}", backend, width) : "";
  return fmt::format("{:<{}} {:<{}} {:<8} {:<{}}{} {}\n", layer, report.layer_width, op,
                     report.op_width, phase, shape, report.shape_width, who, rest);
}

std::int64_t launches_of(const StepMeasurement& m) {
  std::int64_t sum = 0;
  for (const auto& [name, count] : m.launches) sum += count;
  return sum;
}

/// In place of times, where there are none.
std::string untimed(const std::string& problem) {
  return problem.empty() ? "run once, not timed" : problem;
}

std::string figures(const Report& report, const KernelResult& result, std::size_t index) {
  const Measurement& m = result.measurements[index];
  if (m.warm.empty()) return untimed(m.problem);
  const Call& call = result.row.call;
  const Summary warm = summarize(m.warm);
  const double seconds = warm.median;
  const Roof limit = roof(report.peaks, call.flops, call.bytes(), m.arithmetic);
  std::string text =
      fmt::format("{:>8} {:>5} {:>8} {:>8} {:>7} {:>7}", milliseconds(seconds),
                  m.warm.size() > 1 ? percent(warm.spread()) : "-",
                  m.cold.empty() ? "-" : milliseconds(summarize(m.cold).median),
                  number(1e-9 * call.flops / seconds), number(1e-9 * call.bytes() / seconds),
                  number(call.flops / call.bytes()));
  text += fmt::format(" {:>5} {:<7}", limit.seconds > 0 ? percent(limit.seconds / seconds) : "-",
                      limit.seconds == 0       ? "-"
                      : limit.bound_by_compute ? "compute"
                                               : "memory");
  text += fmt::format(" {:>7} {:<4}",
                      m.checked ? fmt::format("{:.0e}", m.accuracy.relative_error) : "-",
                      !m.checked                 ? "-"
                      : m.accuracy.deterministic ? "yes"
                                                 : "NO");
  if (result.measurements.size() > 1) {
    const double ratio = ratio_to_peer(result.measurements, index);
    text += fmt::format(" {:>7}", ratio > 0 ? times(ratio) : "-");
  }
  if (!m.algorithm.empty()) text += " " + m.algorithm;
  if (m.throttled > 0)
    text += fmt::format(" ({} samples dropped: the GPU was slowed down)", m.throttled);
  if (!m.capture_problem.empty()) text += fmt::format(" (no graph: {})", m.capture_problem);
  return text;
}

}  // namespace

void fit_columns(Report& report, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    report.layer_width = std::max(report.layer_width, layers_text(row).size());
    report.op_width = std::max(report.op_width, row.call.op.size());
    report.shape_width = std::max(report.shape_width, row.call.extent.str().size());
  }
}

std::string table_header(const Report& report) {
  const bool several = report.backends.size() > 1;
  const std::string rest =
      fmt::format("{:>8} {:>5} {:>8} {:>8} {:>7} {:>7} {:>5} {:<7} {:>7} {:<4}{} {}", "warm ms",
                  "+-", "cold ms", "GFLOP/s", "GB/s", "FLOP/B", "roof", "bound", "error", "same",
                  several ? fmt::format(" {:>7}", "peer") : "", "algorithm");
  std::string text = line(report, "layer", "op", "phase", "shape", "backend", rest);
  return text + std::string(text.size() - 1, '-') + "\n";
}

std::string table_lines(const Report& report, const KernelResult& result) {
  std::string text;
  for (std::size_t i = 0; i < result.measurements.size(); ++i) {
    const Call& call = result.row.call;
    text +=
        i == 0 ? line(report, layers_text(result.row), call.op, name_of(call.phase),
                      call.extent.str(), result.measurements[i].backend, figures(report, result, i))
               : line(report, "", "", "", "", result.measurements[i].backend,
                      figures(report, result, i));
  }
  return text;
}

std::string step_text(const StepResult& result) {
  const RecordedStep& step = result.step;
  const bool training = step.whole == Whole::train_step;
  std::string text = fmt::format(
      "{}, base width {}, batch {}, {}x{}x{}: {} parameters, {:.1f} GFLOP, {:.0f} MiB of tensors "
      "planned\n",
      training ? "training step" : "inference", step.config.base_width, step.batch_size, step.size,
      step.size, step.config.in_channels, step.parameters, 1e-9 * step.flops(),
      mib(step.planned_bytes));
  double fastest = 0;
  for (const StepMeasurement& m : result.measurements) {
    if (m.seconds.empty()) {
      text += fmt::format("  {:<8} {:<8} {}\n", m.backend, m.mode, untimed(m.problem));
      continue;
    }
    const Summary s = summarize(m.seconds);
    fastest = fastest == 0 ? s.median : std::min(fastest, s.median);
    text += fmt::format(
        "  {:<8} {:<8} {:.4g} s a {} ({:.4g} to {:.4g}), {:.4g} images/s, {:.1f} GFLOP/s, "
        "peak memory {:.0f} MiB{}\n",
        m.backend, m.mode, s.median, training ? "step" : "batch", s.p20, s.p80,
        static_cast<double>(step.batch_size) / s.median, 1e-9 * step.flops() / s.median,
        mib(m.peak_bytes), m.launches.empty() ? "" : fmt::format(", {} launches", launches_of(m)));
    if (m.throttled > 0)
      text += fmt::format("    {} of them dropped: the GPU was slowed down\n", m.throttled);
  }
  if (result.floors.empty() || result.floors.front().seconds == 0) return text;
  text += fmt::format("  {:<45} {:>8} {:>8} {:>9} {:>9}  {}\n", "floor", "GB", "s", "images/s",
                      "compute", fastest > 0 ? "reached" : "");
  for (const Floor& floor : result.floors)
    text += fmt::format("  {:<45} {:>8.3f} {:>8.4g} {:>9.4g} {:>9}  {}\n",
                        floor.name + " " + floor.what, 1e-9 * floor.bytes, floor.seconds,
                        static_cast<double>(step.batch_size) / floor.seconds,
                        percent(floor.compute_seconds / floor.seconds),
                        fastest > 0 ? percent(floor.seconds / fastest) : "");
  return text;
}

std::vector<Total> totals(const Report& report, std::int64_t base_width, std::int64_t batch_size) {
  std::vector<Total> totals;
  for (const std::string& backend : report.backends) {
    Total& total = totals.emplace_back(Total{.backend = backend});
    for (const KernelResult& result : report.kernels) {
      if (result.base_width != base_width || result.batch_size != batch_size) continue;
      const std::size_t calls = result.row.layers.size();
      total.calls += calls;
      const auto m = std::find_if(result.measurements.begin(), result.measurements.end(),
                                  [&](const Measurement& of) { return of.backend == backend; });
      if (m == result.measurements.end() || m->warm.empty())
        total.untimed += calls;
      else
        total.seconds += summarize(m->warm).median * static_cast<double>(calls);
    }
    const Total& first = totals.front();
    if (total.untimed == 0 && first.untimed == 0 && first.seconds > 0)
      total.ratio_to_first = total.seconds / first.seconds;
  }
  return totals;
}

std::string total_text(const Report& report, const RecordedStep& step) {
  std::string text;
  for (const Total& total : totals(report, step.config.base_width, step.batch_size)) {
    if (total.calls == 0) continue;
    const std::string which =
        total.calls == step.calls.size()
            ? fmt::format("the {} kernels", total.calls)
            : fmt::format("{} of the {} kernels", total.calls, step.calls.size());
    if (total.untimed > 0) {
      text += fmt::format("{}: no total, {} of a step lack {} times\n", total.backend, which,
                          total.untimed);
      continue;
    }
    text +=
        fmt::format("{}: {} of a step take {:.4g} s together", total.backend, which, total.seconds);
    if (total.backend != report.backends.front() && total.ratio_to_first > 0)
      text += fmt::format(", {:.2f} times {}", total.ratio_to_first, report.backends.front());
    text += "\n";
  }
  return text;
}

double ratio_to_peer(const std::vector<Measurement>& row, std::size_t of) {
  const std::size_t peer = of == 0 ? 1 : 0;
  if (peer >= row.size() || row[of].warm.empty() || row[peer].warm.empty()) return 0;
  return summarize(row[peer].warm).median / summarize(row[of].warm).median;
}

}  // namespace glia::bench
