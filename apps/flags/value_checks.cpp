#include "apps/flags/value_checks.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace glia {

namespace {

// Text that is no number at all is left to CLI11, which knows the types.

std::string real_problem(const std::string& text) {
  const double value = std::strtod(text.c_str(), nullptr);
  if (std::isfinite(value)) return {};
  return fmt::format("found {}, expected a finite number", text);
}

std::string whole_problem(const std::string& text) {
  errno = 0;
  static_cast<void>(std::strtoll(text.c_str(), nullptr, 10));
  if (errno != ERANGE) return {};
  return fmt::format("found {}, expected a whole number that 64 bits hold", text);
}

std::string unsigned_problem(const std::string& text) {
  if (text.find('-') != std::string::npos) return fmt::format("found {}, expected 0 or more", text);
  errno = 0;
  static_cast<void>(std::strtoull(text.c_str(), nullptr, 10));
  if (errno != ERANGE) return {};
  return fmt::format("found {}, expected at most 18446744073709551615", text);
}

/// As a variable of the shell gives that was never set. A suffix may be empty.
std::string text_problem(const std::string& text) {
  if (!text.empty()) return {};
  return "found an empty text; leave the flag out, or give it a value";
}

bool may_be_empty(const CLI::Option& option) {
  return option.check_lname("mask-suffix") || option.check_lname("image-suffix");
}

}  // namespace

std::function<std::string(const std::string&)> number_or_auto(int low, int high) {
  return [low, high](const std::string& text) -> std::string {
    int number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    const bool is_number = parsed.ec == std::errc() && parsed.ptr == end;
    if (text == "auto" || (is_number && number >= low && number <= high)) return {};
    return fmt::format("found '{}', expected {} to {}, or auto", text, low, high);
  };
}

void check_flag_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    // With checks of its own it is "FLOAT:POSITIVE".
    const std::string type = option->get_type_name();
    if (type.starts_with("FLOAT")) option->check(real_problem);
    if (type.starts_with("INT")) option->check(whole_problem);
    if (type.starts_with("UINT")) option->check(unsigned_problem);
    if (type.starts_with("TEXT") && !may_be_empty(*option)) option->check(text_problem);
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    check_flag_values(*command);
}

}  // namespace glia
