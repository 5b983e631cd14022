#include "engine/train/inference.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/finite.h"
#include "engine/runtime/run.h"
#include "engine/train/padding.h"

namespace glia {

namespace {

/// [N,H,W,C] mirrored left to right (`across`) and top to bottom (`down`).
std::vector<float> flip(const std::vector<float>& values, const Shape& s, bool across, bool down) {
  std::vector<float> flipped(values.size());
  const std::int64_t channels = s[3];
  std::int64_t to = 0;
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (std::int64_t h = 0; h < s[1]; ++h)
      for (std::int64_t w = 0; w < s[2]; ++w, to += channels) {
        const std::int64_t row = n * s[1] + (down ? s[1] - 1 - h : h);
        const std::int64_t from = (row * s[2] + (across ? s[2] - 1 - w : w)) * channels;
        std::copy_n(values.begin() + from, channels, flipped.begin() + to);
      }
  return flipped;
}

Forward forward_of(Device& device, nn::Model& model) {
  return [&](const Tensor& images) {
    Tape tape(device, Tape::Mode::off);
    nn::Pass pass{.tape = tape};
    return model.forward(pass, images);
  };
}

std::vector<std::vector<float>> logits_of_flips(const Forward& forward, const Tensor& images) {
  const Shape& shape = images.shape();
  const auto values = images.to_vector<float>();
  std::vector<std::vector<float>> logits;
  for (const bool down : {false, true})
    for (const bool across : {false, true}) {
      const Tensor flipped =
          Tensor::from<float>(images.device(), shape, flip(values, shape, across, down));
      logits.push_back(
          flip(forward(flipped).to_vector<float>(), shape.with_channels(1), across, down));
    }
  return logits;
}

}  // namespace

std::string Inference::str() const {
  const std::string steps = postprocess.str();
  if (!flips) return steps.empty() ? "none" : steps;
  return steps.empty() ? "flips" : "flips, " + steps;
}

nlohmann::json Inference::to_json() const {
  return {{"flips", flips},
          {"fill_holes", postprocess.fill_holes},
          {"keep_largest", postprocess.keep_largest},
          {"min_size", postprocess.min_size}};
}

std::vector<std::vector<float>> flip_logits(Device& device, nn::Model& model,
                                            const Tensor& images) {
  return logits_of_flips(forward_of(device, model), images);
}

Tensor infer_logits(Device& device, nn::Model& model, const Tensor& images, bool flips) {
  return infer_logits(forward_of(device, model), model.size_multiple(), images, flips);
}

Tensor infer_logits(const Forward& forward, std::int64_t multiple, const Tensor& images,
                    bool flips) {
  Device& device = images.device();
  const Shape& shape = images.shape();
  const Shape padded = padded_shape(shape, multiple);
  if (padded != shape) {
    const auto values = fit_edges(images.to_vector<float>(), shape, padded);
    const Tensor logits =
        infer_logits(forward, multiple, Tensor::from<float>(device, padded, values), flips);
    return Tensor::from<float>(
        device, shape.with_channels(1),
        fit_edges(logits.to_vector<float>(), padded.with_channels(1), shape));
  }
  if (!flips) return forward(images);
  const auto all = logits_of_flips(forward, images);
  std::vector<float> mean(all.front().size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    float sum = 0;
    for (const auto& one : all) sum += one[i];
    mean[i] = sum / static_cast<float>(all.size());
  }
  return Tensor::from<float>(device, shape.with_channels(1), mean);
}

Tensor infer_by_shards(Device& device, nn::Model& model, const Tensor& images,
                       std::int64_t at_once) {
  const Shape& all = images.shape();
  if (all[0] <= at_once) return infer_logits(device, model, images, false);
  Tensor logits = Tensor::empty(device, all.with_channels(1));
  for (std::int64_t first = 0; first < all[0]; first += at_once) {
    const Shape part{std::min(at_once, all[0] - first), all[1], all[2], all[3]};
    const Tensor some =
        infer_logits(device, model, images.slice(first * part.numel() / part[0], part), false);
    const Tensor place = logits.slice(first * all[1] * all[2], some.shape());
    run<&KernelTable::scale>(device, {.x = some, .y = place.view()});
  }
  return logits;
}

float probability_of(float logit) {
  return 1 / (1 + std::exp(-logit));
}

std::vector<float> probabilities_of(std::span<const float> logits) {
  std::vector<float> probabilities(logits.size());
  std::transform(logits.begin(), logits.end(), probabilities.begin(), probability_of);
  return probabilities;
}

void check_probabilities(std::span<const float> probability) {
  if (const auto bad = find_not_finite(probability))
    fail(
        "{} of {} probabilities are NaN: values overflow inside the network; the image's are "
        "larger than those of the training, or the network had diverged",
        bad->count, probability.size());
}

float threshold_logit(double threshold) {
  check(threshold > 0 && threshold < 1, "--threshold: found {}, expected 0 < t < 1", threshold);
  const auto t = static_cast<float>(threshold);
  // From where the probability is 0 to where it is 1, halved until no float lies between.
  float below = -200, above = 200;
  if (probability_of(above) <= t) return above;  // t is 1 as float: no probability exceeds it
  for (;;) {
    const float middle = (below + above) / 2;
    if (middle <= below || middle >= above) return below;
    (probability_of(middle) > t ? above : below) = middle;
  }
}

std::vector<float> decide(std::span<const float> values, std::int64_t height, std::int64_t width,
                          double threshold, const Postprocess& steps) {
  std::vector<float> mask;
  mask.reserve(values.size());
  const auto t = static_cast<float>(threshold);
  for (const float value : values) mask.push_back(value > t ? 1.0F : 0.0F);
  postprocess(steps, mask, height, width);
  return mask;
}

Tensor decide(const Tensor& logits, double threshold, const Postprocess& steps) {
  const Shape& s = logits.shape();
  const auto values = logits.to_vector<float>();
  const auto pixels = static_cast<std::size_t>(s[1] * s[2]);
  std::vector<float> masks;
  for (std::size_t first = 0; first < values.size(); first += pixels) {
    const auto mask =
        decide(std::span(values).subspan(first, pixels), s[1], s[2], threshold, steps);
    masks.insert(masks.end(), mask.begin(), mask.end());
  }
  return Tensor::from<float>(logits.device(), s, masks);
}

}  // namespace glia
