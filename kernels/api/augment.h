// Augmentation of a batch on the device, from slices that lie there: an entry of the kernel table
// that only GPUs have. What is drawn for a slice comes from the host, so that the draws are one
// piece of code (engine/data/augment.h). Formulas: docs/augmentation.md.
#pragma once

#include "engine/base/augment_draws.h"
#include "kernels/api/context.h"
#include "kernels/api/operands.h"
#include "kernels/api/view.h"

namespace glia {

/// new_images[i] and new_masks[i] are slice draws[i].slice of `images` [M,H,W,C] and of `masks`
/// [M,H,W,1], changed as `glia::augment` changes a slice by these draws; all dense f32. `draws` is
/// i64 [N, kAugmentWords] in the device's memory. Flips give the CPU's very values. Sums over a
/// slice are made in another order, and functions such as the logarithm are the device's: the
/// others may differ in their last bit, and a mask where a source lies half-way between two pixels.
struct AugmentBatch {
  ConstView images, masks;
  ConstView draws;
  View new_images, new_masks;
  bool gamma = false, changes = false;  // whether any draws ask for them; of flips, pay nothing
};

/// Without the slices, of which a batch reads a few.
template <class V>
void visit(AugmentBatch& a, const V& v) {
  v("draws", Role::in, a.draws);
  v("new_images", Role::out, a.new_images);
  v("new_masks", Role::out, a.new_masks, Content::binary);
}

using AugmentBatchKernel = void (*)(KernelContext&, const AugmentBatch&);

}  // namespace glia
