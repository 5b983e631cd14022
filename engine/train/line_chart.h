// Line charts as one self-contained SVG: no script, no font file, nothing to fetch. It follows the
// reader's light or dark preference.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace glia {

/// One line. `x` and `y` have the same length, x ascending. A point that is NaN or infinite is left
/// out and leaves a gap. A series without points keeps its colour free and has no legend.
struct Series {
  std::string name;
  std::vector<double> x = {}, y = {};
};

/// One panel: axes with round ticks, up to four series told apart by colour, dash and marker, and a
/// legend. Units belong into the labels.
struct LineChart {
  std::string title, x_label, y_label;
  std::vector<Series> series = {};
  /// Both ends of the y axis; from the data when not given.
  std::optional<std::pair<double, double>> y_range = {};
  /// x counts something (epochs, steps): ticks stand on whole numbers only.
  bool whole_x = false;
};

/// The panels side by side as an SVG document. Throws `Error` when there is no panel, a series has
/// x and y of different lengths, or a chart has more than four series.
std::string to_svg(std::span<const LineChart> panels);

/// Ascending round numbers (1, 2 or 5 times a power of ten apart) that span `low` to `high`, at
/// least two, about `wanted`. The first is <= low, the last >= high. With `whole`, no fractions.
std::vector<double> round_ticks(double low, double high, int wanted, bool whole = false);

}  // namespace glia
