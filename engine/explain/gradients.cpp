#include "engine/explain/gradients.h"

#include <algorithm>
#include <cmath>

namespace glia::explain {

namespace {

/// Runs the network forward and the target backward; only what `pass` or the image asks for gets a
/// gradient.
void run(const Subject& subject, nn::Pass& pass, const Tensor& image) {
  const nn::Frozen frozen(subject.model.parameters());
  const Tensor logits = subject.model.forward(pass, image);
  if (pass.probe != nullptr) pass.probe->value();  // backward would not know the reason
  pass.tape.backward(logits, subject.logits_gradient());
}

/// Where pixel `i` of the enlarged row lies in the original: between `low` and `high`.
struct Place {
  std::int64_t low, high;
  double share;  // of `high`
};

Place place_of(std::int64_t i, std::int64_t size, std::int64_t new_size) {
  const double scale = static_cast<double>(size) / static_cast<double>(new_size);
  const double at =
      std::clamp((static_cast<double>(i) + 0.5) * scale - 0.5, 0.0, static_cast<double>(size - 1));
  const auto low = static_cast<std::int64_t>(at);
  return {low, std::min(low + 1, size - 1), at - static_cast<double>(low)};
}

}  // namespace

std::vector<float> grad_cam(const Subject& subject, const std::string& layer) {
  Tape tape(subject.device);
  nn::Probe probe(layer);
  nn::Pass pass{.tape = tape, .probe = &probe};
  run(subject, pass, subject.image);

  const Shape& shape = probe.value().shape();
  const auto activation = probe.value().to_vector<float>();
  const auto gradient = probe.value().grad().to_vector<float>();
  const auto channels = static_cast<std::size_t>(shape.channels());
  const std::size_t pixels = activation.size() / channels;
  std::vector<double> weight(channels);
  for (std::size_t i = 0; i < gradient.size(); ++i) weight[i % channels] += gradient[i];
  std::vector<float> map(pixels);
  for (std::size_t p = 0; p < pixels; ++p) {
    double sum = 0;
    for (std::size_t k = 0; k < channels; ++k)
      sum += weight[k] / static_cast<double>(pixels) * activation[p * channels + k];
    map[p] = static_cast<float>(std::max(sum, 0.0));
  }
  return resize_bilinear(map, shape[1], shape[2], subject.height(), subject.width());
}

std::vector<float> saliency(const Subject& subject) {
  const Shape& shape = subject.image.shape();
  // A tensor of its own: the subject's image must not want a gradient ever after.
  const Tensor image = Tensor::from<float>(subject.device, shape, subject.image.to_vector<float>());
  image.set_wants_grad(true);
  Tape tape(subject.device);
  nn::Pass pass{.tape = tape};
  run(subject, pass, image);

  const auto gradient = image.grad().to_vector<float>();
  const auto channels = static_cast<std::size_t>(shape.channels());
  std::vector<float> map(gradient.size() / channels);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    map[i / channels] = std::max(map[i / channels], std::abs(gradient[i]));
  return map;
}

std::vector<float> resize_bilinear(const std::vector<float>& map, std::int64_t height,
                                   std::int64_t width, std::int64_t new_height,
                                   std::int64_t new_width) {
  std::vector<float> resized;
  resized.reserve(static_cast<std::size_t>(new_height * new_width));
  for (std::int64_t h = 0; h < new_height; ++h) {
    const Place y = place_of(h, height, new_height);
    for (std::int64_t w = 0; w < new_width; ++w) {
      const Place x = place_of(w, width, new_width);
      const auto row = [&](std::int64_t r) {
        const float* from = map.data() + r * width;
        return from[x.low] * (1 - x.share) + from[x.high] * x.share;
      };
      resized.push_back(static_cast<float>(row(y.low) * (1 - y.share) + row(y.high) * y.share));
    }
  }
  return resized;
}

}  // namespace glia::explain
