// What `glia bench` can time, for its --list and --help.
#pragma once

#include <string>
#include <vector>

namespace glia {

/// The operations of kernels/api/list.h, in its order.
std::vector<std::string> operation_names();

/// Every operation with its kernels, the backends of this build that have each, and its flags; and
/// every group of cases.
std::string operation_list();

}  // namespace glia
