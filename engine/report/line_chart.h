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
  /// The spread around y, both empty or as long as y: a bar at each of up to twelve points, a band
  /// along more. A NaN leaves the point without one.
  std::vector<double> low = {}, high = {};
  /// Marks without a line between them; `titles`, empty or one a point, show when the pointer rests
  /// on a mark.
  bool dots = false;
  std::vector<std::string> titles = {};
};

/// One panel: axes with round ticks, up to four series told apart by colour, dash and marker, and a
/// legend. Units belong into the labels.
struct LineChart {
  std::string title, x_label, y_label;
  std::vector<Series> series = {};
  /// Both ends of an axis; from the data when not given. Points beyond them are left out (x) or
  /// drawn on the edge (y).
  std::optional<std::pair<double, double>> y_range = {}, x_range = {};
  /// x counts something (epochs, steps): ticks stand on whole numbers only.
  bool whole_x = false;
  /// Names of the places 0, 1, ... on the x axis, in place of numbers.
  std::vector<std::string> x_names = {};
  /// The line y = x, dotted.
  bool diagonal = false;
  /// A dotted vertical line at this x.
  std::optional<double> mark_x = {};
};

/// The panels side by side as an SVG document. Throws `Error` when there is no panel, the vectors
/// of a series have different lengths, or a chart has more than four series.
std::string to_svg(std::span<const LineChart> panels);

/// Ascending round numbers (1, 2 or 5 times a power of ten apart) that span `low` to `high`, at
/// least two, about `wanted`. The first is <= low, the last >= high. With `whole`, no fractions.
std::vector<double> round_ticks(double low, double high, int wanted, bool whole = false);

}  // namespace glia
