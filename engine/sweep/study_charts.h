// The charts of a study: validation loss and batch IoU against a setting and against training time.
#pragma once

#include <string>
#include <vector>

#include "engine/report/line_chart.h"
#include "engine/sweep/study.h"

namespace glia::sweep {

/// Two panels, loss and IoU, as an SVG; `key` says what letters stand for where names were too
/// long.
struct Chart {
  std::string svg, key;
};

/// Means against the values of `setting`, one line a combination of the other settings, three to a
/// chart; with bars of one standard deviation. `compared` is one of `compared_epochs`. Beside batch
/// sizes stand the published values.
std::vector<Chart> setting_charts(const Study& study, const std::vector<Combination>& combinations,
                                  std::size_t setting, std::int64_t compared);

/// Means against the epoch, or against steps or images where those are matched; one line a
/// combination, three to a chart. Beside epochs stand the published values.
std::vector<Chart> curve_charts(const Study& study, const std::vector<Combination>& combinations);

}  // namespace glia::sweep
