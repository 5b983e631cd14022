// What no flag takes for a value.
#pragma once

namespace CLI {
class App;
}

namespace glia {

/// Makes every flag of `app` and its subcommands refuse numbers that are not finite or too large
/// for their type, a sign where none can be, and empty texts. Call when all flags are there.
void check_flag_values(CLI::App& app);

}  // namespace glia
