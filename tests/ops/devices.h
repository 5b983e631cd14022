// The backends that every case list runs on.
#pragma once

#include <vector>

#include "kernels/api/table.h"

namespace glia::test {

/// Kernel tables under test; a table's name is the backend's name.
std::vector<const KernelTable*> devices_under_test();

}  // namespace glia::test
