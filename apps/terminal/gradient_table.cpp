#include "apps/terminal/gradient_table.h"

#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "benchmarks/cases/cases.h"

namespace glia {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNamed = 6;  // wrong parameters of a network

/// Finite numbers as they are, others as text, which JSON lacks.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value));
}

std::string op_of(const test::GradientRow& row) {
  return row.mode.empty() ? row.op : fmt::format("{} {}", row.op, row.mode);
}

}  // namespace

std::string gradient_head() {
  return fmt::format("{:<26} {:<30} {:<9} {:<9} {:>9} {:>7}  {:<24} {:>8}  {}\n", "operation",
                     "pass", "gradient", "shape", "error", "share", "where", "compared", "verdict");
}

std::string net_head() {
  return fmt::format("{:<44} {:>10} {:>10} {:>9} {:>7}  {}\n", "network (48x80)", "parameters",
                     "directions", "error", "share", "verdict");
}

std::string text_of(const test::GradientRow& row) {
  std::string text =
      fmt::format("{:<26} {:<30} {:<9} {:<9} {:>9.1e} {:>7.3g}  {:<24} {:>8}  {}\n", op_of(row),
                  row.pass, row.gradient, cases::text_of(row.shape), row.error, row.share(),
                  row.where, row.compared, row.right() ? "right" : "WRONG");
  if (row.skipped > 0)
    text += fmt::format("    {} elements at a kink or a tie are not compared\n", row.skipped);
  if (row.right()) return text;
  for (const std::string& line : row.failures) text += fmt::format("    {}\n", line);
  text += fmt::format("    worst: {}, found {:.6g}, expected {:.6g}\n", row.where, row.found,
                      row.expected);
  for (const std::string& line : row.common)
    if (row.failures.empty() || line != row.failures.front())
      text += fmt::format("    in common: {}\n", line);
  return text;
}

std::string text_of(const test::NetRow& row) {
  std::string text =
      fmt::format("{:<44} {:>10} {:>10} {:>9.1e} {:>7.3g}  {}\n", row.net, row.parameters,
                  row.directions, row.error, row.share(), row.right() ? "right" : "WRONG");
  if (row.skipped > 0)
    text += fmt::format("    {} directions crossed a kink and were drawn again\n", row.skipped);
  if (row.starts > 1 && row.right())
    text += fmt::format(
        "    at start {}: the ones before were beyond the bound, as a kink between float32 and "
        "float64 is\n",
        row.starts);
  if (row.right()) return text;
  std::vector<std::string> named(
      row.wrong.begin(),
      row.wrong.begin() + static_cast<std::ptrdiff_t>(std::min(kNamed, row.wrong.size())));
  text += fmt::format("    wrong: {} of {} parameters: {}{}\n", row.wrong.size(), row.parameters,
                      fmt::join(named, ", "), row.wrong.size() > kNamed ? ", ..." : "");
  if (!row.common.empty()) text += fmt::format("    in common: {}\n", row.common);
  return text;
}

Json json_of(const test::GradientRow& row) {
  return {{"operation", row.op},
          {"mode", row.mode},
          {"gradient", row.gradient},
          {"pass", row.pass},
          {"kernels", row.kernels},
          {"ran", row.ran},
          {"shape", cases::text_of(row.shape)},
          {"input", row.input},
          {"error", number(row.error)},
          {"bound", number(row.bound)},
          {"share", number(row.share())},
          {"where", row.where},
          {"found", number(row.found)},
          {"expected", number(row.expected)},
          {"compared", row.compared},
          {"skipped", row.skipped},
          {"right", row.right()},
          {"failures", row.failures},
          {"common", row.common}};
}

Json json_of(const test::NetRow& row) {
  return {{"network", row.net},           {"parameters", row.parameters},
          {"directions", row.directions}, {"skipped", row.skipped},
          {"error", number(row.error)},   {"bound", number(row.bound)},
          {"share", number(row.share())}, {"right", row.right()},
          {"wrong", row.wrong},           {"common", row.common}};
}

}  // namespace glia
