// What becomes of the input of a convolution while it is read, and of the sums of a forward pass
// before they are stored. For host code and kernels alike.
#pragma once

#include "kernels/api/view.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// x, and the map (kernels/api/read_map.h) that it is read through; empty for none.
struct ReadInput {
  ConstView values, map{};
};

/// First the bias, then the map (kernels/api/read_map.h); and `moments` [2, K] of what is before
/// the map, before it is rounded. All may be empty.
struct Epilogue {
  ConstView bias{}, map{};
  View moments{};
};

}  // namespace glia::GLIA_GPU
