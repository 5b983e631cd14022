// What becomes of the sums of a forward pass before they are stored. For host code and kernels
// alike.
#pragma once

#include "kernels/api/view.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// First the bias, then the map (kernels/api/read_map.h). Both may be empty.
struct Epilogue {
  ConstView bias{}, map{};
};

}  // namespace glia::GLIA_GPU
