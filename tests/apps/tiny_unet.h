// A U-Net so small that the benchmark's own tests run every kernel of its step at once.
#pragma once

#include "models/unet/unet.h"

namespace glia::test {

inline const UNetConfig kTinyUNet{.base_width = 4, .depth = 2};

}  // namespace glia::test
