// How sure is the network? It is asked several times in ways that should not matter, and where the
// answers differ, it is not.
#pragma once

#include <functional>

#include "engine/nn/model.h"

namespace glia::explain {

/// Over the answers for one image, pixel by pixel, [H, W].
struct Spread {
  std::vector<float> mean;       // of the probabilities
  std::vector<float> deviation;  // their standard deviation (over the number of answers)
};

/// Monte-Carlo dropout (Gal & Ghahramani, 2016): `samples` passes with dropout acting and
/// everything else as in evaluation, each with other masks; the same `seed` draws the same. For a
/// network without dropout the deviation is 0. `progress` is called with the number of passes done.
/// Throws `Error` when `samples` < 2.
Spread dropout_spread(
    Device& device, nn::Model& model, const Tensor& image, std::int64_t samples, std::uint64_t seed,
    const std::function<void(std::int64_t)>& progress = [](std::int64_t) {});

/// The image as it is, mirrored left to right, top to bottom and both.
Spread flip_spread(Device& device, nn::Model& model, const Tensor& image);

}  // namespace glia::explain
