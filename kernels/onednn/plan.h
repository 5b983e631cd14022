// A primitive that has been made, and how its operands get to it.
#pragma once

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/onednn/operand.h"

namespace glia::onednn {

/// An operand's layout in the primitive, and the way there.
struct Bridge {
  Desc wanted{};
  /// From the operand as given to the wanted layout, or back where the call writes it, adding where
  /// it accumulates. None where the primitive works on the operand itself.
  dnnl::primitive copy{};
};

struct Plan {
  dnnl::primitive primitive{};
  Desc scratchpad{};
  std::vector<Bridge> bridges{};  // one an operand of the call, in its order
};

/// A kernel's name, and in numbers everything else that its plan depends on.
using PlanKey = std::pair<std::string_view, std::vector<std::int64_t>>;
using Plans = std::map<PlanKey, Plan>;

}  // namespace glia::onednn
