// Tensor contents as float64 host vectors, so that one piece of test code reads and writes every
// element type and pitch.
#pragma once

#include <vector>

#include "kernels/api/view.h"

namespace glia::reference {

/// Elements in row-major order, without the gaps of a pitched view.
using Values = std::vector<double>;

Values load(const ConstView& view);

/// Converts to the view's type and overwrites or adds. Throws `Error` on another element count.
void store(const Values& values, const View& view, Write write = Write::overwrite);

}  // namespace glia::reference
