// The hand-written GPU kernels, which table.cpp puts into the kernel table. Each queues its
// launches on the context's stream and returns; the workspace is device memory.
#pragma once

#include "kernels/api/table.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

#define GLIA_KERNEL(name, Args, op, phase) void name(KernelContext&, const Args&);
#include "kernels/api/list.h"

void augment_batch(KernelContext&, const AugmentBatch&);

}  // namespace glia::GLIA_GPU
