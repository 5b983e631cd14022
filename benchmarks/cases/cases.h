// The list of all cases, and every operation at any shape.
#pragma once

#include <span>
#include <string_view>

#include "benchmarks/cases/operation.h"

namespace glia::cases {

/// In the order of kernels/api/list.h, then those without kernels of their own.
std::span<const Operation> operations();

/// The cases of that name: one ("conv2d.windows.3"), a group ("conv2d.windows") or all of an
/// operation ("conv2d"). Throws `Error` when there is none.
std::vector<Case> find(std::string_view name);

/// An operation at a shape, in all its modes. Throws `Error` when there is no such operation or
/// when it cannot have that shape.
std::vector<Case> at(std::string_view operation, const Dimensions& dimensions);

/// "6x240x240x32"
std::string text_of(const Shape& shape);

}  // namespace glia::cases
