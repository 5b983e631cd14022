// What to tell somebody whose command ran out of memory.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace glia {

/// "use a smaller --batch-size or --base-width": of the flags of the command that ran those that
/// set how much it holds, and of these those that only ever make it hold more where they were
/// given; where it has none, what else helps.
std::string memory_advice(const CLI::App& app);

}  // namespace glia
