// Our tensors as oneDNN is told about them: extents in its order, strides as the elements lie.
#pragma once

#include <dnnl.hpp>

#include <cstddef>

#include "kernels/api/view.h"

namespace glia::onednn {

using Desc = dnnl::memory::desc;

/// A tensor of a call and what the call does with it.
struct Operand {
  int argument = 0;      // DNNL_ARG_...
  void* data = nullptr;  // null for a result that nobody wants
  Desc desc{};
  std::size_t bytes = 0;  // from the first to the last element
  bool written = false;
  Write write = Write::overwrite;

  bool accumulates() const { return written && write == Write::accumulate; }
};

/// [N, H, W, C] or a slice of its channels, in the order N, C, H, W. Of another rank: its rows as
/// one line of pixels.
Desc image_desc(const ConstView& view);
/// A filter [K, R, S, C] in the order K, C, R, S; transposed: C, K, R, S.
Desc filter_desc(const ConstView& view, bool transposed);
Desc vector_desc(const ConstView& view);

/// The same extents in dense NHWC, or in whichever layout the primitive likes best.
Desc dense_nhwc(const Desc& desc);
Desc any_layout(const Desc& desc);

Operand input(int argument, const Desc& desc, const ConstView& view);
/// `view` may be empty; it is a ConstView so that one struct can hold the operands of every pass.
Operand output(int argument, const Desc& desc, const ConstView& view, Write write);

}  // namespace glia::onednn
