#include "kernels/cuda/backend.h"

#include "kernels/cuda/memory.h"
#include "kernels/cuda/peaks.h"
#include "kernels/cuda/survey.h"
#include "kernels/cuda/table.h"

namespace glia::GLIA_GPU {

const GpuBackend& backend() {
  static const GpuBackend kBackend = {.kernels = &table(),
                                      .survey = survey,
                                      .open = [](int index) -> std::unique_ptr<Allocator> {
                                        return std::make_unique<Memory>(index);
                                      },
                                      .peaks = &peak_work()};
  return kBackend;
}

}  // namespace glia::GLIA_GPU
