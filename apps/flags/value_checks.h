// What no flag takes for a number.
#pragma once

namespace CLI {
class App;
}

namespace glia {

/// Makes every flag of `app` and its subcommands refuse numbers that are not finite or too large
/// for their type, and a sign where none can be. Call when all flags are there.
void check_numbers(CLI::App& app);

}  // namespace glia
