#include "apps/runs/explainer.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/pictures/heat.h"
#include "engine/explain/gradients.h"
#include "engine/explain/uncertainty.h"
#include "engine/train/inference.h"
#include "engine/train/predict.h"

namespace glia {

namespace {

bool needs_region(const std::string& method) {
  return method != "mc-dropout" && method != "flips";
}

/// The pixels of the padded image whose logits are explained.
std::vector<float> region_of(const ExplainSettings& s, const NetworkInput& input,
                             const Slice& slice, const std::vector<float>& logits) {
  check(s.target != "truth" || !slice.mask.empty(),
        "--target truth: found no mask beside the image; use prediction or image");
  const float t = threshold_logit(s.threshold);
  std::vector<float> region(logits.size());
  for (std::int64_t h = 0; h < input.image_height; ++h)
    for (std::int64_t w = 0; w < input.image_width; ++w) {
      const auto at = static_cast<std::size_t>(h * input.width + w);
      const auto pixel = static_cast<std::size_t>(h * input.image_width + w);
      if (s.target == "image")
        region[at] = 1;
      else if (s.target == "truth")
        region[at] = slice.mask[pixel];
      else
        region[at] = logits[at] > t ? 1.0F : 0.0F;
    }
  return region;
}

std::string what_it_shows(const ExplainSettings& s, const std::string& method) {
  if (method == "grad-cam")
    return fmt::format("Grad-CAM: where {} speaks for the {}", s.layer, s.target);
  if (method == "saliency")
    return fmt::format("saliency: how much an input pixel moves the {}", s.target);
  if (method == "occlusion")
    return fmt::format("occlusion: what the {} loses when a square of {} pixels is hidden",
                       s.target, s.occlusion.patch);
  if (method == "mc-dropout")
    return fmt::format("dropout: spread of the probability over {} passes", s.samples);
  return "flips: spread of the probability over four mirrored images";
}

}  // namespace

const std::vector<std::string>& explain_methods() {
  static const std::vector<std::string> methods = {"grad-cam", "saliency", "occlusion",
                                                   "mc-dropout", "flips"};
  return methods;
}

bool has_dropout(const OpenModel& open) {
  return open.info.at("model").value("dropout", 0.0) > 0;
}

Explainer::Explainer(ExplainSettings settings, Device& device, const OpenModel& open)
    : settings_(std::move(settings)), device_(device), open_(open) {
  std::vector<std::string>& methods = settings_.methods;
  const bool drops = has_dropout(open);
  if (methods.empty())
    std::copy_if(explain_methods().begin(), explain_methods().end(), std::back_inserter(methods),
                 [&](const std::string& method) { return drops || method != "mc-dropout"; });
  check(drops || std::find(methods.begin(), methods.end(), "mc-dropout") == methods.end(),
        "mc-dropout: the network has no dropout; train one with --dropout, or use flips");
  rehearse();
}

void Explainer::rehearse() const {
  const std::int64_t channels = open_.model->in_channels();
  const Slice blank{1, 1, channels, std::vector<float>(static_cast<std::size_t>(channels)), {}};
  const NetworkInput input(*open_.model, open_.preprocess, blank);
  const std::vector<float> region(static_cast<std::size_t>(input.height * input.width), 1.0F);
  for (const std::string& method : settings_.methods)
    map_of(method, input.tensor(device_), region, [](std::int64_t, std::int64_t) {});
}

Explanation Explainer::explain(const Slice& slice, const std::string& id,
                               const Working& working) const {
  const NetworkInput input(*open_.model, open_.preprocess, slice);
  const Tensor image = input.tensor(device_);
  const auto logits = infer_logits(device_, *open_.model, image, false).to_vector<float>();
  check_probabilities(probabilities_of(logits));
  const std::vector<float> region = region_of(settings_, input, slice, logits);
  const Picture grey =
      channel_picture(slice.image, slice.height, slice.width, slice.channels, settings_.channel);

  Explanation result{.id = id, .slice = enlarge(grey, display_factor(slice.height, slice.width))};
  for (std::size_t i = 0; i < logits.size(); ++i)
    result.target += static_cast<double>(region[i]) * logits[i];
  result.pixels = std::count(region.begin(), region.end(), 1.0F);
  const std::vector<float> outlined = input.crop(region);
  const auto methods = static_cast<double>(settings_.methods.size());
  for (std::size_t i = 0; i < settings_.methods.size(); ++i) {
    const std::string& method = settings_.methods[i];
    if (result.pixels == 0 && needs_region(method)) continue;
    working(method, static_cast<double>(i) / methods);
    const auto count = [&](std::int64_t done, std::int64_t all) {
      const double part = static_cast<double>(done) / static_cast<double>(all);
      working(fmt::format("{} {}/{}", method, done, all),
              (static_cast<double>(i) + part) / methods);
    };
    HeatMap map{.method = method, .values = input.crop(map_of(method, image, region, count))};
    const auto [least, most] = std::minmax_element(map.values.begin(), map.values.end());
    map.minimum = *least;
    map.maximum = *most;
    map.picture = heat_picture(grey, {map.values, slice.height, slice.width},
                               {outlined, slice.height, slice.width});
    result.maps.push_back(std::move(map));
  }
  return result;
}

std::vector<Figure> Explainer::figures(const Explanation& explanation) const {
  std::vector<Figure> figures;
  for (const HeatMap& map : explanation.maps)
    figures.push_back(
        {encode_png(map.picture),
         fmt::format("slice {}, {}; {:.3g} to {:.3g}", explanation.id,
                     what_it_shows(settings_, map.method), map.minimum, map.maximum)});
  return figures;
}

std::vector<float> Explainer::map_of(const std::string& method, const Tensor& image,
                                     const std::vector<float>& region, const Count& count) const {
  const explain::Subject subject{device_, *open_.model, image, region};
  if (method == "grad-cam") return explain::grad_cam(subject, settings_.layer);
  if (method == "saliency") return explain::saliency(subject);
  if (method == "flips") return explain::flip_spread(device_, *open_.model, image).deviation;
  if (method == "mc-dropout")
    return explain::dropout_spread(device_, *open_.model, image, settings_.samples, settings_.seed,
                                   [&](std::int64_t done) { count(done, settings_.samples); })
        .deviation;
  explain::OcclusionConfig config = settings_.occlusion;
  config.progress = count;
  return explain::occlusion(subject, config);
}

}  // namespace glia
