#include "apps/flags/passed_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace glia {

void PassedFlags::add(CLI::App& to, const CLI::App& from, const std::vector<std::string>& without) {
  for (const CLI::Option* option : from.get_options()) {
    const std::string name = option->get_lnames().front(), flag = "--" + name;
    const bool left_out = std::find(without.begin(), without.end(), name) != without.end();
    if (left_out || to.get_option_no_throw(flag) != nullptr) continue;
    CLI::Option* copy = nullptr;
    if (option->get_items_expected_max() == 0) {
      copy = to.add_flag(flag, option->get_description());
    } else {
      copy = to.add_option(
          flag, [](const CLI::results_t&) { return true; }, option->get_description());
      copy->type_name(option->get_type_name());
      copy->default_str(option->get_default_str());
    }
    copy->group("Of every trial, as in glia train");
    options_[name] = copy;
  }
}

std::map<std::string, std::string> PassedFlags::given() const {
  std::map<std::string, std::string> flags;
  for (const auto& [name, option] : options_) {
    if (option->count() == 0) continue;
    flags[name] = option->get_items_expected_max() == 0 ? "" : option->results().front();
  }
  return flags;
}

std::vector<std::string> to_words(const std::map<std::string, std::string>& flags) {
  std::vector<std::string> words;
  for (const auto& [name, value] : flags) {
    words.push_back("--" + name);
    if (!value.empty()) words.push_back(value);
  }
  return words;
}

}  // namespace glia
