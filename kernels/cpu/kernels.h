// The CPU kernels, which table.cpp puts into the kernel table, and the macro that picks the
// instruction set when one is called.
#pragma once

#include "kernels/api/table.h"

namespace glia::cpu {

#define GLIA_KERNEL(name, Args, op, phase) void name(KernelContext&, const Args&);
#include "kernels/api/list.h"

}  // namespace glia::cpu

/// Defines kernel `name` as a call of the variant for the best instruction set of this machine.
#define GLIA_DISPATCH(name, Args)                       \
  HWY_EXPORT(name);                                     \
  void name(KernelContext& context, const Args& args) { \
    HWY_DYNAMIC_DISPATCH(name)(context, args);          \
  }
