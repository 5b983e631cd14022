#include "engine/train/predict.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/finite.h"
#include "engine/ops/ops.h"
#include "engine/train/inference.h"

namespace glia {

namespace {

std::int64_t next_multiple(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

std::vector<float> pad_edges(const std::vector<float>& image, std::int64_t H, std::int64_t W,
                             std::int64_t C, std::int64_t height, std::int64_t width) {
  std::vector<float> padded(static_cast<std::size_t>(height * width * C));
  for (std::int64_t h = 0; h < height; ++h)
    for (std::int64_t w = 0; w < width; ++w) {
      const float* from = image.data() + (std::min(h, H - 1) * W + std::min(w, W - 1)) * C;
      std::copy(from, from + C, padded.data() + (h * width + w) * C);
    }
  return padded;
}

/// For a grey picture and a network that was trained on grey ones stored as RGB.
std::string repeat_advice(std::int64_t channels, std::int64_t expected) {
  if (channels != 1 || expected < 2) return {};
  return fmt::format("; {} takes its one channel {} times",
                     fmt::join(std::vector<int>(static_cast<std::size_t>(expected), 0), ","),
                     expected);
}

}  // namespace

NetworkInput::NetworkInput(const nn::Model& model, const Preprocess& preprocess, const Slice& slice)
    : height(next_multiple(slice.height, model.size_multiple())),
      width(next_multiple(slice.width, model.size_multiple())),
      channels(slice.channels),
      image_height(slice.height),
      image_width(slice.width) {
  check(channels == model.in_channels(),
        "the image has {} channels, the network expects {}; --take-channels chooses among those of "
        "a picture or volume{}",
        channels, model.in_channels(), repeat_advice(channels, model.in_channels()));
  std::vector<float> image = slice.image;
  preprocess.apply(image, channels);
  values = pad_edges(image, image_height, image_width, channels, height, width);
}

void check_probabilities(std::span<const float> probability) {
  if (const auto bad = find_not_finite(probability))
    fail(
        "{} of {} probabilities are NaN: values overflow inside the network; the image's are "
        "larger than those of the training, or the network had diverged",
        bad->count, probability.size());
}

Tensor NetworkInput::tensor(Device& device) const {
  return Tensor::from<float>(device, {1, height, width, channels}, values);
}

std::vector<float> NetworkInput::crop(const std::vector<float>& map) const {
  std::vector<float> cropped;
  cropped.reserve(static_cast<std::size_t>(image_height * image_width));
  for (std::int64_t h = 0; h < image_height; ++h)
    cropped.insert(cropped.end(), map.begin() + h * width, map.begin() + h * width + image_width);
  return cropped;
}

std::vector<float> predict_probabilities(Device& device, nn::Model& model,
                                         const Preprocess& preprocess, const Slice& slice,
                                         bool flips) {
  const NetworkInput input(model, preprocess, slice);
  const Tensor logits = infer_logits(device, model, input.tensor(device), flips);
  Tape tape(device, Tape::Mode::off);
  std::vector<float> probability = input.crop(ops::sigmoid(tape, logits).to_vector<float>());
  check_probabilities(probability);
  return probability;
}

}  // namespace glia
