// Heat maps over slices.
#pragma once

#include "apps/pictures/pictures.h"

namespace glia {

/// The grey slice, enlarged by `display_factor`, under `heat`: warm (dark red to yellow) where it
/// is positive, cold (dark blue to cyan) where it is negative, the slice itself where it is 0; the
/// colours end at the largest magnitude. A white line runs round the pixels of `region` that are
/// not 0; it may have no values. NaN counts as 0. Throws `Error` when the sizes differ.
Picture heat_picture(const Picture& slice, const Plane& heat, const Plane& region);

}  // namespace glia
