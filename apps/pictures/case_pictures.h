// Which slices an evaluation shows, and their pictures.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/metrics/evaluation.h"
#include "engine/report/evaluation_page.h"

namespace glia {

/// Slices that define a Dice, none twice.
struct ChosenCases {
  std::vector<Case> worst;   // the ten lowest; among equals, more wrong pixels first
  std::vector<Case> median;  // the three around the middle
  std::vector<Case> best;    // the three highest, highest first

  std::vector<std::string> ids() const;
};

ChosenCases choose_cases(const std::vector<Case>& slices);

/// Masks [height, width] of 0 and 1 by slice.
using Masks = std::map<std::string, std::vector<float>>;

/// Further pictures of a slice, shown after its overlay.
using MoreFigures = std::function<std::vector<Figure>(const Slice&, const std::string& id)>;

/// An overlay of each chosen case, captioned with its scores: sections for the worst, the median
/// and the best. `channel` of the image is shown. Throws `Error` when a sample or a mask is
/// missing.
std::vector<Section<std::vector<Figure>>> draw_cases(const ChosenCases& cases,
                                                     const std::vector<Sample>& samples,
                                                     const Masks& predictions, std::int64_t channel,
                                                     const std::string& distance_unit,
                                                     const MoreFigures& more = {});

}  // namespace glia
