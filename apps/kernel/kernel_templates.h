// The files that glia kernel --new prints: kernels/cuda/templates, as they were when this was
// built.
#pragma once

#include <string>

namespace glia {

/// The template of a kernel by its dotted name. Throws `Error` with those that there are.
std::string kernel_template(const std::string& name);

}  // namespace glia
