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

bool is_flag(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

/// "--data", and whatever else comes near to a flag that is not there.
std::vector<std::string> near_flags(const CLI::App& command, std::string_view flag) {
  std::vector<std::string> near;
  const std::string_view word = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames())
      if (is_near(word, name)) near.push_back("--" + name);
  return near;
}

std::string unknown_flag(const CLI::App& command, const std::string& path, std::string_view word) {
  const std::string_view flag = word.substr(0, word.find('='));
  const std::vector<std::string> near = near_flags(command, flag);
  const std::string lead =
      fmt::format("{}no flag {}", path.empty() ? "" : path + ": ", printable_name(flag));
  const std::string help = fmt::format("glia {}{}--help lists all", path, path.empty() ? "" : " ");
  return near.empty() ? fmt::format("{}; {}", lead, help)
                      : fmt::format("{}; did you mean {}? {}", lead, fmt::join(near, " or "), help);
}

}  // namespace

std::string unknown_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2) return {};
  const std::string_view word = argv[1];
  if (is_flag(word))
    return app.get_option_no_throw(std::string(word.substr(0, word.find('=')))) != nullptr
               ? std::string()
               : unknown_flag(app, "", word);
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

std::string unknown_words(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    const std::vector<std::string> words = command->remaining();
    if (words.empty()) continue;
    const std::string& path = command->get_name();
    const auto flag = std::find_if(words.begin(), words.end(), is_flag);
    if (flag != words.end()) return unknown_flag(*command, path, *flag);
    return fmt::format("{}: '{}' belongs to no flag; glia {} --help lists all", path,
                       printable_name(words.front()), path);
  }
  return {};
}

std::string in_plain_words(const std::string& message) {
  constexpr std::string_view kTooMany = ": At Most 1 required but received ";
  const auto at = message.find(kTooMany), end = message.find('\n', at);
  if (at == std::string::npos || end == std::string::npos) return message;
  const auto number = at + kTooMany.size();
  return fmt::format("{}: given {} times, expected once{}", message.substr(0, at),
                     message.substr(number, end - number), message.substr(end));
}

}  // namespace glia
