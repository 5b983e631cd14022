// What a kernel may do to an operand while it reads it, so that a normalised activation need not be
// stored beside the convolution's result that it is a function of.
#pragma once

#include <cstdint>

#include "kernels/api/view.h"

namespace glia {

/// The rows of a map, a tensor [3, C] of the parameters' type: channel c of the operand is read as
///   max(scale[c] * x + shift[c], floor[c])
/// A batch norm with ReLU has floor 0; channels that are read as they are have 1, 0 and -infinity.
/// Pixels outside an image stay 0. Where a kernel takes a map, an empty view stands for none.
struct MapRow {
  static constexpr std::int64_t scale = 0, shift = 1, floor = 2, count = 3;
};

/// What a backend does with maps.
enum class Maps : std::uint8_t {
  none,     // a norm and its ReLU are two passes over memory, and pooling a third
  written,  // batch_norm_relu makes a map and materialise writes down what it makes of its operand:
            // norm, ReLU and pooling are one pass
  read      // and convolutions and what else lies between read maps and give moments
};

}  // namespace glia
