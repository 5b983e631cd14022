// What is done to an image before the network sees it. It is fitted on the training slices, saved
// in the checkpoint and applied unchanged when predicting.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "engine/data/dataset.h"

namespace glia {

struct Preprocess {
  enum class Normalize {
    none,     // as stored
    slice,    // (x - m) / s, with m and s of that slice and channel
    dataset,  // (x - m) / s, with m and s of that channel over all training slices
  };

  Normalize normalize = Normalize::none;
  std::vector<float> mean = {}, stddev = {};  // one a channel; empty unless `dataset`

  /// Standard deviations below this count as this.
  static constexpr double kSmallestDeviation = 1e-6;

  /// Statistics over all pixels of all `samples`, summed in double in the given order. `none` and
  /// `slice` read no file. Throws `Error` when `samples` is empty or their channels differ.
  static Preprocess fit(Normalize normalize, const std::vector<Sample>& samples);

  /// Throws `Error` where the statistics are not those of so many channels.
  void check_channels(std::int64_t channels) const;

  /// In place on one image [H, W, channels], computed in double. Throws `Error` when `channels` is
  /// not what the statistics were fitted on.
  void apply(std::span<float> image, std::int64_t channels) const;

  /// {"normalize": "dataset", "mean": [...], "std": [...]}
  nlohmann::json to_json() const;
  /// Throws `Error` naming the field that is missing or wrong.
  static Preprocess from_json(const nlohmann::json& json);
};

/// "none", "slice" or "dataset".
const char* name_of(Preprocess::Normalize normalize);
/// Throws `Error` listing the choices.
Preprocess::Normalize parse_normalize(std::string_view text);

}  // namespace glia
