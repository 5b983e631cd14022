// Which GPUs there are and whether these kernels run on them.
#pragma once

#include "kernels/cuda/backend.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

GpuSurvey survey(SurveyOf gpus);

/// GPU `index` when it can be used; no other is looked at. It is current afterwards. Throws
/// `Error` saying why not and how to mend it.
GpuInfo usable_gpu(int index);

}  // namespace glia::GLIA_GPU
