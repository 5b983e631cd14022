// Random changes to training slices, so that the network sees each slice in many versions. Every
// change is a pure function of (seed, epoch, sample): threads and resuming do not alter it.
// Formulas: docs/augmentation.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "engine/base/augment_draws.h"
#include "engine/data/dataset.h"

namespace glia {

/// 0 or false switches a change off. s is the standard deviation of the slice's image over all
/// pixels and channels, so that strengths mean the same whatever the scale of the data.
struct AugmentConfig {
  double noise = 0;                                     // Gaussian noise, of this share of s
  double brightness = 0;                                // an offset, uniform in ± this share of s
  bool flip_horizontal = false, flip_vertical = false;  // each with probability 1/2
  double rotate_degrees = 0;                            // about the centre, uniform in ± this
  double scale = 0;                                     // zoom by 1 ± this
  double gamma = 0;  // exponent e^u, u uniform in ± this, on each channel scaled to [0, 1]

  /// "none", or a list such as "noise=0.05,brightness=0.1,flip,flip-vertical,rotate=15,scale=0.1,
  /// gamma=0.2" (`flip` is left-right). Throws `Error` on unknown names and values out of range.
  static AugmentConfig parse(std::string_view text);
  /// What `parse` reads back.
  std::string str() const;

  /// Throws `Error` naming the field on what `parse` refuses.
  static AugmentConfig from_json(const nlohmann::json& json);
  nlohmann::json to_json() const;

  bool operator==(const AugmentConfig&) const = default;
};

/// What is drawn for the slice of that place in the training list, in that epoch.
AugmentDraws draw_augment(const AugmentConfig& config, std::uint64_t seed, std::int64_t epoch,
                          std::int64_t sample_index);

/// Changes `slice` in place: flips, rotation and zoom move image (bilinear) and mask (nearest)
/// alike, outside counts the value at the edge; then gamma, brightness and noise change the image.
/// Masks stay in {0, 1}; a slice without mask is allowed.
void augment(Slice& slice, const AugmentDraws& draws);

}  // namespace glia
