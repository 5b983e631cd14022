// Images of any size for networks that halve it several times.
#pragma once

#include <vector>

#include "engine/base/shape.h"

namespace glia {

/// The shape of `images` [N,H,W,C] with H and W raised to multiples of `multiple`.
Shape padded_shape(const Shape& images, std::int64_t multiple);

/// Images [N,H,W,C] of shape `from` with the height and width of `to`: below and to the right,
/// their edge is repeated where `to` is larger, and what is too much is cut off where it is
/// smaller.
std::vector<float> fit_edges(const std::vector<float>& images, const Shape& from, const Shape& to);

}  // namespace glia
