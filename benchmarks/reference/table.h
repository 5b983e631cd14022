// The reference as a backend: a whole network runs forward in float64 through the same operations
// as on any other device.
#pragma once

#include "kernels/api/table.h"

namespace glia::reference {

/// Forward passes only, dtype f64; every backward entry is empty.
const KernelTable& table();

}  // namespace glia::reference
