// The kernels as glia kernel names them: "conv2d.dgrad".
#pragma once

#include <string>

#include "kernels/api/table.h"

namespace glia {

/// The operation and what is left of the kernel's name: "conv2d.dgrad", "batch_norm.forward_eval",
/// "add".
std::string dotted_name(const KernelInfo& kernel);

/// The kernel of that name, dotted or as in kernels/api/list.h. Throws `Error` with the names that
/// are spelled nearly so and all others.
const KernelInfo& kernel_of_name(const std::string& name);

/// What its function is declared as: "void conv2d_dgrad(glia::KernelContext&, const
/// glia::Conv2dDgrad&)".
std::string declaration_of(const KernelInfo& kernel);

}  // namespace glia
