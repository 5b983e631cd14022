// Augmentation of a batch on the device: flips, brightness and noise as engine/data/augment.h has
// them, with the same random numbers (docs/augmentation.md). Rotation, zoom and gamma stay on the
// CPU, and since they come between the flip and the brightness, a batch that has one of them is
// augmented there as a whole.
#pragma once

#include <cstdint>

#include "kernels/api/context.h"
#include "kernels/api/view.h"

namespace glia {

/// Every image is changed as `glia::augment` changes a slice for (seed, epoch, sample index). Flips
/// give the CPU's very values. Brightness and noise are scaled by the image's standard deviation,
/// which is summed in another order (double precision): the result may differ in its last bit.
struct DeviceAugment {
  static constexpr const char* kName = "augment";
  ConstView images, masks{};     // [N,H,W,C] and [N,H,W,1], dense f32; masks may be left out
  View new_images, new_masks{};  // of the same shapes, in other memory
  ConstView places;              // [N,2] i64 in the device's memory: epoch, sample index
  std::uint64_t seed = 0;
  double noise = 0, brightness = 0;  // as in AugmentConfig
  bool flip_horizontal = false, flip_vertical = false;
};

// Queues the launches. Throws `Error` when a view is not dense. One of the two builds of the GPU
// kernels, see kernels/cuda/launch.h.
namespace cuda {
void augment(KernelContext& context, const DeviceAugment& a);
}
namespace emulated {
void augment(KernelContext& context, const DeviceAugment& a);
}

}  // namespace glia
