// What may be done between a network and a mask, all of it off by default: averaging over flips and
// steps on the mask.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/nn/model.h"
#include "engine/train/postprocess.h"

namespace glia {

struct Inference {
  bool flips = false;  // average the logits over the image's four flips
  Postprocess postprocess{};

  bool any() const { return flips || postprocess.any(); }
  /// "flips, keep-largest"; "none" when everything is off.
  std::string str() const;
  nlohmann::json to_json() const;
};

/// The logits of `images` [N,H,W,C] as they are, mirrored left to right, top to bottom and both;
/// each mirrored back, [N,H,W,1] in row-major order.
std::vector<std::vector<float>> flip_logits(Device& device, nn::Model& model, const Tensor& images);

/// logits [N,H,W,1] of images [N,H,W,C]; with `flips` the mean of `flip_logits`.
Tensor infer_logits(Device& device, nn::Model& model, const Tensor& images, bool flips);

/// 1 where logits [N,H,W,1] exceed `threshold`, 0 elsewhere, after the steps on each image.
Tensor decide(const Tensor& logits, double threshold, const Postprocess& steps);

/// 1 where `values` [height, width] exceed `threshold`, 0 elsewhere, after the steps.
std::vector<float> decide(std::span<const float> values, std::int64_t height, std::int64_t width,
                          double threshold, const Postprocess& steps);

}  // namespace glia
