// A plugin as docs/your-kernel.md has it: a ReLU of one loop.
#include "kernels/api/plugin.h"

namespace {

void relu(glia::KernelContext&, const glia::ReluForward& a) {
  const auto* x = a.x.as<float>();
  auto* y = a.y.as<float>();
  for (std::int64_t row = 0; row < a.x.rows(); ++row)
    for (std::int64_t c = 0; c < a.x.channels(); ++c) {
      const float value = x[row * a.x.pitch + c];
      y[row * a.y.pitch + c] = value < 0 ? 0 : value;  // a NaN stays
    }
}

void install(glia::KernelTable& table) {
  table.relu_forward = relu;
}

}  // namespace

GLIA_PLUGIN("plain relu", install)
