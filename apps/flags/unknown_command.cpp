#include "apps/flags/unknown_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/text.h"

namespace glia {

namespace {

/// How many letters must be added, left out, replaced or swapped with their neighbour to come from
/// one word to the other (the optimal string alignment distance).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_before, before, row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    two_before = std::move(before);
    before = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_before[j - 2] + 1);
    }
  }
  return row.back();
}

bool is_near(std::string_view word, std::string_view command) {
  if (word.size() >= 3 && command.starts_with(word)) return true;
  return distance(word, command) <= (command.size() < 5 ? 1U : 2U);
}

}  // namespace

std::string unknown_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || *argv[1] == '-') return {};
  const std::string_view word = argv[1];
  std::vector<std::string> all, near;
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string& name = command->get_name();
    if (name == word) return {};
    all.push_back(name);
    if (is_near(word, name)) near.push_back(name);
  }
  return near.empty() ? fmt::format("no command '{}'; there are {}", printable_name(word),
                                    fmt::join(all, ", "))
                      : fmt::format("no command '{}'; did you mean {}? glia --help lists all",
                                    printable_name(word), fmt::join(near, " or "));
}

}  // namespace glia
