// The backward pass of max_pool2d, which materialise_pool has too.
#pragma once

#include "engine/ops/common.h"

namespace glia::ops {

/// Records dx of the windows whose maxima `index` names. Saved: index.
void record_max_pool2d(Tape& tape, const Tensor& x, const Tensor& y, const Tensor& index,
                       const PoolGeometry& g);

}  // namespace glia::ops
