// The flag --group-by of the commands that come after the split.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace glia {

/// `otherwise` is what stands in for the flag, in order, for its help.
void add_group_by_option(CLI::App& command, std::string& rule, const std::string& otherwise);

}  // namespace glia
