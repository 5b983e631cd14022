#include "apps/flags/help_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace glia {

namespace {

constexpr std::size_t kColumn = 30;  // of the descriptions
constexpr std::size_t kWidth = 80;

/// A name and what it means, side by side or, where the name is too long, one below the other.
std::string row(const std::string& name, const std::string& description) {
  const std::string left = "  " + name;
  const std::string gap = left.size() < kColumn ? std::string(kColumn - left.size(), ' ')
                                                : "\n" + std::string(kColumn, ' ');
  return left + gap + wrap(description, kWidth - kColumn, kColumn) + "\n";
}

/// "INT:INT in [1 - 4096]" is an INT with a check that says so again.
std::string type_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto colon = type.find(':');
  if (colon == std::string::npos) return type;
  const std::string base = type.substr(0, colon), checks = type.substr(colon + 1);
  if (checks.starts_with(base + " in ")) return checks;
  return checks.starts_with('{') ? checks : base + ":" + checks;
}

std::string value_of(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";  // a flag
  std::string text = " " + type_of(option);
  const std::string value = option.get_default_str();
  const bool empty = value.empty() || value == "[]" || value == "{}";  // an empty list
  if (!empty) text += "=" + value;
  if (option.get_expected_max() > 1) text += " ...";
  if (option.get_required()) text += " REQUIRED";
  return text;
}

std::string options_of(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    const bool positional = option->nonpositional() == false;
    text += row(option->get_name(positional, !positional) + value_of(*option),
                option->get_description());
  }
  return text;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string usage_of(const CLI::App& app) {
  std::string path = app.get_name();
  for (const CLI::App* parent = app.get_parent(); parent; parent = parent->get_parent())
    path = parent->get_name() + " " + path;
  std::string text = "Usage: " + path + " [OPTIONS]";
  for (const CLI::Option* option : app.get_options())
    if (!option->nonpositional()) text += " " + option->get_name(true, false);
  if (!subcommands_of(app).empty()) text += " SUBCOMMAND";
  return text + "\n";
}

}  // namespace

std::string wrap(const std::string& text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t used = 0;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t blank = std::min(text.find(' ', from), text.size());
    const std::string word = text.substr(from, blank - from);
    if (from > 0 && used + 1 + word.size() > width) {
      lines += "\n" + std::string(indent, ' ');
      used = 0;
    } else if (from > 0) {
      lines += ' ';
      ++used;
    }
    lines += word;
    used += word.size();
    from = blank + 1;
  }
  return lines;
}

std::string HelpText::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string text = wrap(app->get_description(), kWidth, 0) + "\n" + usage_of(*app) +
                     "\nOptions:\n" + options_of(*app);
  std::string commands;
  for (const CLI::App* command : subcommands_of(*app))
    commands += row(command->get_name(), command->get_description());
  if (!commands.empty()) text += "\nSubcommands:\n" + commands;
  if (!app->get_footer().empty()) text += "\n" + app->get_footer() + "\n";
  return text;
}

}  // namespace glia
