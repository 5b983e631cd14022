// A line of text above a picture, so that it can be told from those beside it.
#pragma once

#include <string>

#include "apps/pictures/pictures.h"

namespace glia {

/// The picture as RGB below a dark strip with `title` in white, in letters of twice their size
/// where that fits, else of their own size, cut where they do not fit either. What is not ASCII is
/// shown as '?'.
Picture titled(const Picture& picture, const std::string& title);

}  // namespace glia
