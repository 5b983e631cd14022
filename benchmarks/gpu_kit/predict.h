// `gpu-kit predict`: what the models behind the choices of convolution kernels expect of a GPU,
// written down before one measures it.
#pragma once

#include <CLI/CLI.hpp>

namespace glia::kit {

void add_predict(CLI::App& app);

}  // namespace glia::kit
