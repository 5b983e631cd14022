// Explanation by hiding: what does the network lose when it does not see a part of the image?
#pragma once

#include <functional>

#include "engine/explain/subject.h"

namespace glia::explain {

struct OcclusionConfig {
  std::int64_t patch = 24;   // side of the hidden square, pixels
  std::int64_t stride = 12;  // from one square to the next
  std::int64_t batch = 8;    // squares a forward pass
  /// Called with the number of squares done and of all.
  std::function<void(std::int64_t, std::int64_t)> progress = [](std::int64_t, std::int64_t) {};
};

/// By how much the target falls when a square is replaced by each channel's mean over the image,
/// averaged over the squares that hide a pixel (Zeiler & Fergus, 2014). Negative where hiding makes
/// the network surer. The last square of a row or column is moved in to end at the edge. Throws
/// `Error` when patch or stride is not positive, or a stride above the patch would leave gaps.
std::vector<float> occlusion(const Subject& subject, const OcclusionConfig& config);

}  // namespace glia::explain
