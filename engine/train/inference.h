// From images to probabilities and masks, the one way for validation, evaluate, predict and
// explain. What may be done between a network and a mask is off by default: averaging over flips
// and steps on the mask.
#pragma once

#include <functional>
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
/// each mirrored back, [N,H,W,1] in row-major order. H and W are multiples of the model's.
std::vector<std::vector<float>> flip_logits(Device& device, nn::Model& model, const Tensor& images);

/// Logits [N,H,W,1] of preprocessed images [N,H,W,C] of any size: padded for the network by
/// repeating their edges (padding.h), and cropped again. With `flips` the mean of `flip_logits`.
/// Kernels are chosen by the size of the whole batch, so the last bits of an image's logits can
/// depend on how many images it has beside it. Kernel by kernel; `Predictor` (predictor.h) gives
/// the same bits batch after batch.
Tensor infer_logits(Device& device, nn::Model& model, const Tensor& images, bool flips);

/// Likewise without flips, at most `at_once` images at a time, which hold as much memory as so many
/// do.
Tensor infer_by_shards(Device& device, nn::Model& model, const Tensor& images,
                       std::int64_t at_once);

/// What a network makes of images [N,H,W,C] whose H and W are multiples of the model's.
using Forward = std::function<Tensor(const Tensor& images)>;
/// The same logits by another way to run a network that takes multiples of `multiple`.
Tensor infer_logits(const Forward& forward, std::int64_t multiple, const Tensor& images,
                    bool flips);

/// 1 / (1 + exp(-logit)), in [0, 1]; NaN stays NaN.
float probability_of(float logit);
std::vector<float> probabilities_of(std::span<const float> logits);

/// Throws `Error` with their count when some are NaN, which no threshold would notice.
void check_probabilities(std::span<const float> probability);

/// The largest logit that is no tumour: a logit exceeds it if and only if `probability_of` it
/// exceeds `threshold`, as float, to the bit. Throws `Error` unless 0 < threshold < 1.
float threshold_logit(double threshold);

/// 1 where logits [N,H,W,1] exceed `threshold`, 0 elsewhere, after the steps on each image.
Tensor decide(const Tensor& logits, double threshold, const Postprocess& steps);

/// 1 where `values` [height, width] exceed `threshold`, 0 elsewhere, after the steps.
std::vector<float> decide(std::span<const float> values, std::int64_t height, std::int64_t width,
                          double threshold, const Postprocess& steps);

}  // namespace glia
