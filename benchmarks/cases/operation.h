// What a file of this folder says of an operation: its cases in groups, and the operation at any
// shape.
#pragma once

#include <vector>

#include "benchmarks/cases/case.h"
#include "benchmarks/cases/dimensions.h"

namespace glia::cases {

/// Cases that test one thing.
struct Group {
  const char* name;  // "windows"; with its operation "conv2d.windows"
  const char* text;  // what they have in common
  std::vector<Case> (*make)();
};

struct Operation {
  const char* name;                // of kernels/api/list.h, or one that has no kernel of its own
  bool image = true;               // its input is [N,H,W,C]
  std::vector<Dimension> takes{};  // besides the shape
  /// Its cases at any shape, a mode each, named after it ("training") where there are several.
  /// Throws `Error` when the dimensions do not fit. Null where it has no kernel of its own.
  std::vector<Case> (*at)(const Dimensions&) = nullptr;
  std::vector<Group> groups{};
};

// `conv2d_operation()` and so on, for each operation of the list (again for each of its kernels,
// which says nothing new). One that is missing does not link.
#define GLIA_KERNEL(name, Args, op, phase) Operation op##_operation();
#include "kernels/api/list.h"
// Without kernels of their own.
Operation concat_operation();
Operation mean_operation();
Operation tape_operation();

}  // namespace glia::cases
