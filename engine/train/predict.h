// Probabilities for an image of any size.
#pragma once

#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/preprocess.h"
#include "engine/nn/model.h"
#include "engine/train/predictor.h"

namespace glia {

/// An image as a network takes it: preprocessed, and padded below and to the right by repeating its
/// edge until both sides are multiples of what the model needs: as `infer_logits` does, for those
/// who ask the model themselves.
struct NetworkInput {
  std::int64_t height = 0, width = 0, channels = 0;
  std::int64_t image_height = 0, image_width = 0;  // without the padding
  std::vector<float> values;                       // [height, width, channels]

  /// Throws `Error` when the number of channels differs from the model's.
  NetworkInput(const nn::Model& model, const Preprocess& preprocess, const Slice& slice);
  /// [1, height, width, channels]
  Tensor tensor(Device& device) const;
  /// The part of a map [height, width] that lies on the image: [image_height, image_width].
  std::vector<float> crop(const std::vector<float>& map) const;
};

/// Tumour probability of every pixel of `slice`, [H, W]. With `flips` the logits are averaged over
/// the image's four flips (engine/train/inference.h). Throws `Error` where `NetworkInput` and
/// `check_probabilities` do.
std::vector<float> predict_probabilities(Predictor& predictor, const Preprocess& preprocess,
                                         const Slice& slice, bool flips = false);

}  // namespace glia
