// Right for most tensors; of five channels it touches memory that is not there, of six it declines,
// of seven it gives something else.
#include "kernels/api/plugin.h"

namespace {

void relu(glia::KernelContext&, const glia::ReluForward& a) {
  if (a.x.channels() == 5) *static_cast<volatile int*>(nullptr) = 1;
  if (a.x.channels() == 6) glia::decline("six channels are too many");
  const auto* x = a.x.as<float>();
  auto* y = a.y.as<float>();
  for (std::int64_t row = 0; row < a.x.rows(); ++row)
    for (std::int64_t c = 0; c < a.x.channels(); ++c) {
      const float value = x[row * a.x.pitch + c] * (a.x.channels() == 7 ? 2.0f : 1.0f);
      y[row * a.y.pitch + c] = value < 0 ? 0 : value;
    }
}

void install(glia::KernelTable& table) {
  table.relu_forward = relu;
}

}  // namespace

GLIA_PLUGIN("crashing relu", install)
