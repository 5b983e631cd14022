// Test values to and from tensors of any device, type and pitch.
#pragma once

#include "engine/tensor/tensor.h"
#include "benchmarks/reference/values.h"

namespace glia::test {

/// All elements in row-major order.
reference::Values load(const Tensor& tensor);

/// Overwrites all elements, and nothing between the rows of a slice. Throws `Error` on another
/// element count.
void store(const reference::Values& values, const Tensor& tensor);

/// The same of memory of `allocator`'s.
reference::Values load(const ConstView& view, Allocator& allocator);
void store(const reference::Values& values, const View& view, Allocator& allocator);

}  // namespace glia::test
