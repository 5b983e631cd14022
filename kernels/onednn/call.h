// The one way to run a primitive: its plan is found or made, its operands are brought to it, and
// its results back.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "kernels/onednn/library.h"

namespace glia::onednn {

struct Call {
  const char* op = "";  // the kernel's name
  /// What the primitive depends on besides the kernel and the operands' extents and strides.
  std::vector<std::pair<const char*, double>> parameters{};
  std::vector<Operand> operands{};
  /// Called where there is no plan yet.
  std::function<dnnl::primitive_desc_base(const dnnl::engine&)> describe{};
};

/// Images that lie as the primitive wants them are used where they are; others, slices of channels
/// among them, and all weights go through copies that oneDNN makes: in the workspace, or with
/// Layouts::blocked beside it (blocked_copies.h). Throws `Error`, beginning with "unsupported:"
/// where oneDNN declines.
void run(KernelContext& context, const Call& call);

}  // namespace glia::onednn
