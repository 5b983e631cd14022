// The heat maps of a slice by the methods of engine/explain, ready to be shown.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/pictures/pictures.h"
#include "apps/runs/open_model.h"
#include "engine/explain/occlusion.h"
#include "engine/formats/npy.h"
#include "engine/report/page.h"

namespace glia {

struct ExplainSettings {
  std::vector<std::string> methods;   // of `explain_methods()`; empty: all that the network allows
  std::string target = "prediction";  // whose logits are summed: prediction, truth or image
  std::string layer = "bottleneck";   // of grad-cam
  double threshold = 0.5;             // above which a pixel is predicted tumour
  std::int64_t channel = 0;           // shown below the map
  std::int64_t samples = 20;          // passes of mc-dropout
  std::uint64_t seed = 0;             // of mc-dropout
  explain::OcclusionConfig occlusion = {};
};

const std::vector<std::string>& explain_methods();

/// Whether monte-carlo dropout has anything to drop in this network.
bool has_dropout(const OpenModel& open);

struct HeatMap {
  std::string method;
  std::vector<float> values;  // [height, width] of the slice
  float minimum = 0, maximum = 0;
  Picture picture = {};  // over the slice
};

struct Explanation {
  std::string id;
  double target = 0;               // the sum of logits that is explained
  std::int64_t pixels = 0;         // over how many
  Picture slice;                   // alone, as large as the maps' pictures
  std::vector<HeatMap> maps = {};  // without pixels only those that need none
};

class Explainer {
 public:
  /// Throws `Error` when a method is not for this network, or a setting would suit no image.
  Explainer(ExplainSettings settings, Device& device, const OpenModel& open);

  const ExplainSettings& settings() const { return settings_; }  // with all methods named
  /// Hears which method is at work on a slice and how much of the slice is done, 0 to 1.
  using Working = std::function<void(const std::string& what, double done)>;
  /// Throws `Error` when the target is the truth and the slice has none, or the slice has no such
  /// channel.
  Explanation explain(
      const Slice& slice, const std::string& id,
      const Working& working = [](const std::string&, double) {}) const;
  /// Each map with what it shows in a line, for a report.
  std::vector<Figure> figures(const Explanation& explanation) const;

 private:
  /// Every method once on a small blank image.
  void rehearse() const;
  using Count = std::function<void(std::int64_t done, std::int64_t all)>;
  std::vector<float> map_of(const std::string& method, const Tensor& image,
                            const std::vector<float>& region, const Count& count) const;

  ExplainSettings settings_;
  Device& device_;
  const OpenModel& open_;
};

}  // namespace glia
