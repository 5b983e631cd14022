#include "engine/train/predict.h"

#include <fmt/ranges.h>

#include "engine/train/inference.h"
#include "engine/train/padding.h"

namespace glia {

namespace {

/// For a grey picture and a network that was trained on grey ones stored as RGB.
std::string repeat_advice(std::int64_t channels, std::int64_t expected) {
  if (channels != 1 || expected < 2) return {};
  return fmt::format("; {} takes its one channel {} times",
                     fmt::join(std::vector<int>(static_cast<std::size_t>(expected), 0), ","),
                     expected);
}

/// [height, width, channels]
std::vector<float> preprocessed(const nn::Model& model, const Preprocess& preprocess,
                                const Slice& slice) {
  check(slice.channels == model.in_channels(),
        "the image has {} channels, the network expects {}; --take-channels chooses among those of "
        "a picture or volume{}",
        slice.channels, model.in_channels(), repeat_advice(slice.channels, model.in_channels()));
  std::vector<float> image = slice.image;
  preprocess.apply(image, slice.channels);
  return image;
}

}  // namespace

NetworkInput::NetworkInput(const nn::Model& model, const Preprocess& preprocess, const Slice& slice)
    : channels(slice.channels), image_height(slice.height), image_width(slice.width) {
  const Shape image = {1, image_height, image_width, channels};
  const Shape padded = padded_shape(image, model.size_multiple());
  height = padded[1];
  width = padded[2];
  values = fit_edges(preprocessed(model, preprocess, slice), image, padded);
}

Tensor NetworkInput::tensor(Device& device) const {
  return Tensor::from<float>(device, {1, height, width, channels}, values);
}

std::vector<float> NetworkInput::crop(const std::vector<float>& map) const {
  return fit_edges(map, {1, height, width, 1}, {1, image_height, image_width, 1});
}

std::vector<float> predict_probabilities(Predictor& predictor, const Preprocess& preprocess,
                                         const Slice& slice, bool flips) {
  const Tensor image =
      Tensor::from<float>(predictor.device(), {1, slice.height, slice.width, slice.channels},
                          preprocessed(predictor.model(), preprocess, slice));
  const Tensor logits = predictor.logits(image, flips);
  std::vector<float> probability = probabilities_of(logits.to_vector<float>());
  check_probabilities(probability);
  return probability;
}

}  // namespace glia
