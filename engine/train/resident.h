// The slices as a whole in a GPU's memory, where batches are gathered and augmented: an epoch then
// asks nothing of the host but the draws of each batch.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engine/data/loader.h"
#include "engine/tensor/tensor.h"

namespace glia {

/// Whether slices stay on the device: where there is room, always, or never.
enum class Resident { automatic, on, off };

/// "auto", "on" or "off".
Resident parse_resident(std::string_view text);
std::vector<std::string> resident_names();

/// What they are once preprocessed, in the order of their list.
struct ResidentSlices {
  Tensor images, masks;  // f32 [M,H,W,C] and [M,H,W,1]

  bool defined() const { return images.defined(); }
  /// Of so many slices.
  static std::size_t bytes(std::int64_t slices, std::int64_t height, std::int64_t width,
                           std::int64_t channels);
  /// Of these, which are as large as the first; reads its header.
  static std::size_t bytes(const std::vector<Sample>& samples);
};

/// Reads every one of `samples` by so many threads. Throws `Error` on what the loader refuses and
/// `OutOfMemory` where they do not fit.
ResidentSlices load_resident(Device& device, const std::vector<Sample>& samples,
                             const Preprocess& preprocess, LoaderThreads loader_threads);

}  // namespace glia
