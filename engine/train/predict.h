// Probabilities for an image of any size.
#pragma once

#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/preprocess.h"
#include "engine/nn/model.h"

namespace glia {

/// Tumour probability of every pixel, [H, W]. The image [H, W, C] is preprocessed, padded below and
/// to the right by repeating its edge until both sides are multiples of what the model needs, and
/// the result is cropped back. Throws `Error` when the number of channels differs from the model's.
std::vector<float> predict_probabilities(Device& device, nn::Model& model,
                                         const Preprocess& preprocess, const Slice& slice);

}  // namespace glia
