#include "kernels/api/plugin.h"

#include "engine/base/check.h"

namespace glia {

void decline(const char* why) {
  fail("unsupported: the kernel declines: {}", why);
}

}  // namespace glia
