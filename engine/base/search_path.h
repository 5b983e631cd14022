// Lists of folders in the environment, such as PATH.
#pragma once

#include <string>
#include <vector>

namespace glia {

/// The folders of a variable that separates them by colons, in its order; empty ones are left out.
std::vector<std::string> search_path(const char* variable);

}  // namespace glia
