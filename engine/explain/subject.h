// What is to be explained: why does the network see a tumour here? The answer of every method is a
// map over the image, [H, W] in row-major order.
#pragma once

#include <vector>

#include "engine/nn/model.h"

namespace glia::explain {

/// One image and the pixels in question. The number explained is the sum of the logits over them.
struct Subject {
  Device& device;
  nn::Model& model;
  Tensor image;               // [1, H, W, C], as the network takes it
  std::vector<float> region;  // [H, W], 1 where a logit counts, 0 elsewhere

  std::int64_t height() const { return image.shape()[1]; }
  std::int64_t width() const { return image.shape()[2]; }
  /// The region as the gradient of that sum by the logits, [1, H, W, 1].
  Tensor logits_gradient() const {
    return Tensor::from<float>(device, image.shape().with_channels(1), region);
  }
};

}  // namespace glia::explain
