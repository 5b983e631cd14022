// Test values to and from tensors of any device, type and pitch.
#pragma once

#include "engine/tensor/tensor.h"
#include "tests/reference/values.h"

namespace glia::test {

/// All elements in row-major order.
reference::Values load(const Tensor& tensor);

/// Overwrites all elements, and nothing between the rows of a slice. Throws `Error` on another
/// element count.
void store(const reference::Values& values, const Tensor& tensor);

}  // namespace glia::test
