// What no flag takes for a value.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace glia {

/// Of a flag that is a whole number from `low` to `high`, or auto: what is wrong with a text, as
/// CLI11 asks its checks.
std::function<std::string(const std::string&)> number_or_auto(int low, int high);

/// Makes every flag of `app` and its subcommands refuse numbers that are not finite or too large
/// for their type, a sign where none can be, and empty texts. Call when all flags are there.
void check_flag_values(CLI::App& app);

}  // namespace glia
