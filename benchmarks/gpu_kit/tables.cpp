#include "benchmarks/gpu_kit/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "benchmarks/suite/statistics.h"

namespace glia::kit {

namespace {

using Json = nlohmann::ordered_json;

double median_of(const Json& seconds) {
  return bench::summarize(seconds.get<std::vector<double>>()).median;
}

/// The least median of the contenders whose name begins so; 0 where there is none.
double fastest(const Json& seconds, std::string_view prefix) {
  double least = 0;
  for (const auto& [name, samples] : seconds.items()) {
    const double median = median_of(samples);
    if (name.starts_with(prefix) && (least == 0 || median < least)) least = median;
  }
  return least;
}

/// How much of a step's time its floor S0 is, in the precision of its convolutions.
std::string floor_share(const Json& c, const std::string& name, double median) {
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  const char* key = has("bf16") ? "floors_bf16" : has("tf32") ? "floors_tf32" : "floors";
  if (!c.contains(key) || c.at(key).empty()) return "-";
  return fmt::format("{:.0f} %", 100 * c.at(key)[0].at("seconds").get<double>() / median);
}

Table ladder(const Json& c, const char* what) {
  Table table{.head = {what, "ms", "images/s", "of PyTorch's best", "of floor S0", "MiB"},
              .rows = {}};
  const Json& seconds = c.at("seconds");
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [name, samples] : seconds.items()) order.emplace_back(median_of(samples), name);
  std::sort(order.begin(), order.end());
  const double peer = fastest(seconds, "torch");
  for (const auto& [median, name] : order)
    table.rows.push_back({name, fmt::format("{:.2f}", 1e3 * median),
                          fmt::format("{:.1f}", c.at("batch_size").get<double>() / median),
                          peer > 0 ? fmt::format("{:.2f}", median / peer) : "-",
                          floor_share(c, name, median),
                          fmt::format("{:.0f}", c.at("peak_bytes").value(name, 0.0) / (1 << 20))});
  for (const auto& [name, problem] : c.at("problems").items())
    table.rows.push_back({name, problem.get<std::string>(), "", "", "", ""});
  return table;
}

std::string number(const Json& row, const char* key, double scale, const char* format) {
  if (!row.contains(key) || !row.at(key).is_number()) return "-";
  return fmt::format(fmt::runtime(format), scale * row.at(key).get<double>());
}

/// "yes", "no", or "-" where nobody knows.
std::string yes_or_no(const Json& result, const char* key) {
  if (!result.contains(key) || !result.at(key).is_boolean()) return "-";
  return result.at(key).get<bool>() ? "yes" : "no";
}

/// How golden outputs compare, in words; those that differ by their names.
std::string golden_words(const Json& golden) {
  if (golden.contains("problem")) return golden.at("problem").get<std::string>();
  std::string differing;
  for (const char* part : {"instructions", "operations"})
    if (golden.contains(part))
      for (const auto& [name, how] : golden.at(part).items())
        differing +=
            fmt::format("; {}: {}", name, how.is_string() ? how.get<std::string>() : how.dump());
  return fmt::format("same: {}, operations with the same bits: {}, largest difference {}{}",
                     yes_or_no(golden, "same"),
                     golden.value("operations_with_the_same_bits", std::string("-")),
                     number(golden, "largest_difference", 1, "{:.1e}"), differing);
}

}  // namespace

Table status_table(const Json& results) {
  Table table{.head = {"step", "status", "seconds", "reason"}, .rows = {}, .text_columns = 2};
  for (const Json& step : results.at("steps"))
    table.rows.push_back({step.at("name").get<std::string>(), step.at("status").get<std::string>(),
                          number(step, "seconds", 1, "{:.1f}"),
                          step.at("reason").get<std::string>()});
  return table;
}

std::vector<NamedTable> ladder_tables(const Json& timing, const char* what) {
  std::vector<NamedTable> tables;
  for (const Json& c : timing.at("cases"))
    tables.push_back(
        {fmt::format("Base width {}, batch {}, {}x{}", c.at("base_width").dump(),
                     c.at("batch_size").dump(), c.at("size").dump(), c.at("size").dump()),
         ladder(c, what)});
  return tables;
}

Table rows_table(const Json& rows, std::size_t most) {
  Table table{.head = {"layer", "kernel", "of", "ms", "TFLOP/s", "GB/s", "of roofline",
                       "peer's time over ours"},
              .rows = {},
              .text_columns = 3};
  std::vector<const Json*> timed;
  for (const Json& row : rows.at("rows"))
    if (row.at("warm_s").is_number()) timed.push_back(&row);
  std::stable_sort(timed.begin(), timed.end(), [](const Json* a, const Json* b) {
    return a->at("warm_s").get<double>() > b->at("warm_s").get<double>();
  });
  for (const Json* row : timed) {
    if (table.rows.size() == most) break;
    table.rows.push_back(
        {row->at("layer").get<std::string>(), row->at("kernel").get<std::string>(),
         row->at("implementation").get<std::string>(), number(*row, "warm_s", 1e3, "{:.3f}"),
         number(*row, "gflops_per_s", 1e-3, "{:.2f}"), number(*row, "gbytes_per_s", 1, "{:.0f}"),
         number(*row, "roofline_share", 100, "{:.0f} %"),
         number(*row, "ratio_to_peer", 1, "{:.2f}")});
  }
  return table;
}

Table ceilings_table(const Json& ceilings) {
  Table table{.head = {"device", "ceiling", "by", "best", ""}, .rows = {}, .text_columns = 3};
  for (const Json& c : ceilings.at("ceilings")) {
    const bool bytes = c.at("unit").get<std::string>() == "byte/s";
    const bool known = c.contains("best") && c.at("best").is_number();
    table.rows.push_back({c.at("device").get<std::string>(), c.at("what").get<std::string>(),
                          c.at("by").get<std::string>(),
                          number(c, "best", bytes ? 1e-9 : 1e-12, "{:.1f}"),
                          known ? bytes ? "GB/s" : "TFLOP/s" : c.value("problem", std::string())});
  }
  return table;
}

Table checks_table(const Json& results) {
  Table table{.head = {"check", "found"}, .rows = {}, .text_columns = 2};
  for (const Json& step : results.at("steps")) {
    if (!step.contains("result")) continue;
    const Json& result = step.at("result");
    const auto name = step.at("name").get<std::string>();
    if (name == "outputs" || name == "checkers")
      for (const auto& [what, found] : result.items())
        table.rows.push_back(
            {what == "golden" ? "golden outputs" : name + ", " + what,
             what == "golden" ? golden_words(found) : found.value("said", std::string("-"))});
    if (name == "training") {
      table.rows.push_back(
          {"recorded training = eager", yes_or_no(result, "recorded_equals_eager")});
      table.rows.push_back({"losses beside PyTorch's, largest relative difference",
                            number(result, "largest_relative_difference", 1, "{:.1e}")});
    }
  }
  return table;
}

LineChart loss_chart(const Json& training) {
  LineChart chart{.title = "Loss of the first steps",
                  .x_label = "step",
                  .y_label = "-log IoU",
                  .whole_x = true};
  for (const auto& [key, name] : {std::pair("eager", "Glia"), std::pair("torch", "PyTorch")}) {
    if (!training.contains(key) || !training.at(key).is_object() ||
        !training.at(key).contains("losses"))
      continue;
    Series series{.name = name, .y = training.at(key).at("losses").get<std::vector<double>>()};
    for (std::size_t i = 0; i < series.y.size(); ++i)
      series.x.push_back(static_cast<double>(i + 1));
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::string text_of(const Table& table) {
  std::vector<std::size_t> widths;
  const auto widen = [&](const std::vector<std::string>& row) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  widen(table.head);
  for (const auto& row : table.rows) widen(row);
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += i < table.text_columns ? fmt::format("{:<{}}  ", row[i], widths[i])
                                     : fmt::format("{:>{}}  ", row[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add(table.head);
  for (const auto& row : table.rows) add(row);
  return text;
}

}  // namespace glia::kit
