#include "engine/data/group.h"

#if defined(__GNUC__) && !defined(__clang__)
// A false alarm inside <regex> that g++ 12 raises in sanitizer builds.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <fmt/ranges.h>

#include <charconv>
#include <functional>
#include <optional>
#include <regex>

#include "engine/base/check.h"
#include "engine/base/csv.h"
#include "engine/base/text.h"
#include "engine/data/csv_table.h"

namespace glia {

namespace {

using Rule = std::function<std::optional<std::string>(const std::string& id)>;

constexpr std::string_view kDivide = "id/", kRegex = "regex:";

/// A number without sign or other text around it.
std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Rule division_rule(const std::string& rule) {
  const std::optional<std::uint64_t> divisor =
      to_number(std::string_view(rule).substr(kDivide.size()));
  check(divisor && *divisor > 0,
        "--group-by {}: expected id/N with a whole number N of at least 1, for example id/20",
        rule);
  return [n = *divisor](const std::string& id) -> std::optional<std::string> {
    const std::optional<std::uint64_t> number = to_number(id);
    if (!number) return std::nullopt;
    return std::to_string(*number / n);
  };
}

Rule regex_rule(const std::string& rule) {
  std::regex expression;
  try {
    expression = std::regex(rule.substr(kRegex.size()), std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    fail("--group-by {}: not a regular expression: {}", rule, error.what());
  }
  check(expression.mark_count() == 1,
        "--group-by {}: has {} capture groups, expected one pair of parentheses around the "
        "patient, for example regex:^(p[0-9]+)_",
        rule, expression.mark_count());
  return [expression](const std::string& id) -> std::optional<std::string> {
    std::smatch match;
    if (!std::regex_search(id, match, expression) || !match[1].matched) return std::nullopt;
    return match[1].str();
  };
}

std::size_t column_of(const CsvTable& table, std::string_view name) {
  const std::optional<std::size_t> column = table.find_column(name);
  check(column.has_value(),
        "{}: has the columns {}; expected a first line that names the columns id and group",
        table.file.string(), fmt::join(table.header, ", "));
  return *column;
}

Rule table_rule(const std::string& rule) {
  const CsvTable table = CsvTable::read(table_of_rule(rule));
  const std::size_t id = column_of(table, "id"), group = column_of(table, "group");
  std::map<std::string, std::string> groups;
  for (const auto& [line, cells] : table.rows) {
    check(!cells[group].empty(), "{}:{}: the group is empty; expected the patient of {}",
          table.file.string(), line, cells[id]);
    const auto [entry, is_new] = groups.emplace(csv_text(cells[id]), csv_text(cells[group]));
    check(is_new || entry->second == csv_text(cells[group]),
          "{}:{}: the id {} is in the groups {} and {}; keep one line", table.file.string(), line,
          cells[id], entry->second, cells[group]);
  }
  return
      [groups = std::move(groups)](const std::string& id_of_slice) -> std::optional<std::string> {
        const auto found = groups.find(id_of_slice);
        if (found == groups.end()) return std::nullopt;
        return found->second;
      };
}

Rule make_rule(const std::string& rule) {
  if (rule.starts_with(kDivide)) return division_rule(rule);
  if (rule.starts_with(kRegex)) return regex_rule(rule);
  if (rule.starts_with(kTableRule)) return table_rule(rule);
  check(rule == "none", "--group-by {}: expected id/N, regex:EXPRESSION, csv:FILE or none", rule);
  return [](const std::string& id) -> std::optional<std::string> { return id; };
}

}  // namespace

std::filesystem::path table_of_rule(std::string_view rule) {
  return rule.starts_with(kTableRule) ? rule.substr(kTableRule.size()) : std::string_view();
}

std::map<std::string, std::string> known_groups(const std::vector<std::string>& ids,
                                                const std::string& rule) {
  const Rule group_of = make_rule(rule);
  std::map<std::string, std::string> groups;
  for (const std::string& id : ids)
    if (const std::optional<std::string> group = group_of(id)) groups[id] = *group;
  return groups;
}

std::map<std::string, std::string> assign_groups(const std::vector<std::string>& ids,
                                                 const std::string& rule) {
  std::map<std::string, std::string> groups = known_groups(ids, rule);
  std::vector<std::string> unmatched;
  for (const std::string& id : ids)
    if (!groups.contains(id)) unmatched.push_back(id);
  if (unmatched.empty()) return groups;
  fail(
      "--group-by {}: says nothing about {} of {} ids: {}; choose a rule that finds the patient of "
      "every slice (id/N, regex:EXPRESSION, csv:FILE), or none",
      rule, unmatched.size(), ids.size(), first_few(unmatched));
}

}  // namespace glia
