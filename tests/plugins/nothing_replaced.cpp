#include "kernels/api/plugin.h"

static void install(glia::KernelTable&) {}

GLIA_PLUGIN("nothing", install)
