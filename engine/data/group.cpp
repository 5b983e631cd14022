#include "engine/data/group.h"

#if defined(__GNUC__) && !defined(__clang__)
// A false alarm inside <regex> that g++ 12 raises in sanitizer builds.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <regex>
#include <sstream>

#include "engine/base/check.h"
#include "engine/base/csv.h"
#include "engine/base/file.h"

namespace glia {

namespace {

using Rule = std::function<std::optional<std::string>(const std::string& id)>;

constexpr std::string_view kDivide = "id/", kRegex = "regex:", kTable = "csv:";

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

std::string trimmed(const std::string& cell) {
  const std::size_t first = std::min(cell.find_first_not_of(" \t\r"), cell.size());
  return cell.substr(first, cell.find_last_not_of(" \t\r") + 1 - first);
}

/// A cell in quotes may hold commas, and quotes if they are doubled.
std::vector<std::string> csv_cells(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool doubled = quoted && line.substr(i, 2) == "\"\"";
    if (line[i] == '"' && !doubled) {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell += line[i];
      if (doubled) ++i;
    }
  }
  cells.push_back(trimmed(cell));
  return cells;
}

std::size_t column_of(const std::vector<std::string>& header, std::string_view name,
                      const std::string& file) {
  const auto found = std::find(header.begin(), header.end(), name);
  check(found != header.end(),
        "{}: has the columns {}; expected a first line that names the columns id and group", file,
        fmt::join(header, ", "));
  return static_cast<std::size_t>(found - header.begin());
}

Rule table_rule(const std::string& rule) {
  const std::string file = rule.substr(kTable.size());
  std::string text = read_file(file, kMaxTextFile);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // spreadsheets put a byte order mark
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> header = csv_cells(line);
  const std::size_t id = column_of(header, "id", file), group = column_of(header, "group", file);
  std::map<std::string, std::string> groups;
  for (std::size_t number = 2; std::getline(lines, line); ++number) {
    const std::vector<std::string> cells = csv_cells(line);
    if (cells == std::vector<std::string>{""}) continue;
    check(cells.size() == header.size() && !cells[group].empty(),
          "{}:{}: expected {} cells, one a column, with a group that is not empty", file, number,
          header.size());
    const auto [entry, is_new] = groups.emplace(csv_text(cells[id]), csv_text(cells[group]));
    check(is_new || entry->second == csv_text(cells[group]),
          "{}:{}: the id {} is in the groups {} and {}; keep one line", file, number, cells[id],
          entry->second, cells[group]);
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
  if (rule.starts_with(kTable)) return table_rule(rule);
  check(rule == "none", "--group-by {}: expected id/N, regex:EXPRESSION, csv:FILE or none", rule);
  return [](const std::string& id) -> std::optional<std::string> { return id; };
}

}  // namespace

std::map<std::string, std::string> assign_groups(const std::vector<std::string>& ids,
                                                 const std::string& rule) {
  const Rule group_of = make_rule(rule);
  std::map<std::string, std::string> groups;
  std::vector<std::string> unmatched;
  for (const std::string& id : ids) {
    if (const std::optional<std::string> group = group_of(id))
      groups[id] = *group;
    else
      unmatched.push_back(id);
  }
  if (unmatched.empty()) return groups;
  fail(
      "--group-by {}: says nothing about {} of {} ids: {}; choose a rule that finds the patient of "
      "every slice (id/N, regex:EXPRESSION, csv:FILE), or none",
      rule, unmatched.size(), ids.size(), first_few(unmatched));
}

}  // namespace glia
