#include "engine/train/predict.h"

#include <algorithm>

#include "engine/ops/ops.h"

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

}  // namespace

std::vector<float> predict_probabilities(Device& device, nn::Model& model,
                                         const Preprocess& preprocess, const Slice& slice) {
  check(slice.channels == model.in_channels(),
        "predict: the image has {} channels, the network expects {}", slice.channels,
        model.in_channels());
  std::vector<float> image = slice.image;
  preprocess.apply(image, slice.channels);
  const std::int64_t height = next_multiple(slice.height, model.size_multiple());
  const std::int64_t width = next_multiple(slice.width, model.size_multiple());
  image = pad_edges(image, slice.height, slice.width, slice.channels, height, width);

  Tape tape(device, Tape::Mode::off);
  nn::Pass pass{.tape = tape};
  const Tensor input = Tensor::from<float>(device, {1, height, width, slice.channels}, image);
  const Tensor probability = ops::sigmoid(tape, model.forward(pass, input));
  const float* p = probability.data<float>();
  std::vector<float> cropped;
  cropped.reserve(static_cast<std::size_t>(slice.height * slice.width));
  for (std::int64_t h = 0; h < slice.height; ++h)
    cropped.insert(cropped.end(), p + h * width, p + h * width + slice.width);
  return cropped;
}

}  // namespace glia
