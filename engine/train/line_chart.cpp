#include "engine/train/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "engine/base/check.h"

namespace glia {

namespace {

// One panel in user units (CSS pixels): the plot area and the room around it.
constexpr double kWidth = 460, kHeight = 340;
constexpr double kLeft = 64, kRight = 18, kTop = 64, kBottom = 52;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr std::size_t kMaxSeries = 4;

// Colours of Okabe and Ito's palette, told apart by colour-blind readers too; dash and marker tell
// the lines apart in print. Plain classes, since not every renderer knows CSS variables.
constexpr std::string_view kStyle = R"(<style>
svg { color-scheme: light dark; }
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 14px; font-weight: 600; fill: #111; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.paper { fill: #fff; } .grid { stroke: #ddd; } .axis { stroke: #777; fill: none; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.mark { stroke: none; }
.s1 { stroke-dasharray: 7 4; } .s2 { stroke-dasharray: 2 4; } .s3 { stroke-dasharray: 9 3 2 3; }
.s0 { stroke: #0072b2; } .s1 { stroke: #d55e00; } .s2 { stroke: #009e73; } .s3 { stroke: #a0527d; }
.m0 { fill: #0072b2; } .m1 { fill: #d55e00; } .m2 { fill: #009e73; } .m3 { fill: #a0527d; }
@media (prefers-color-scheme: dark) {
text { fill: #ccc; } .title { fill: #eee; }
.paper { fill: #16181d; } .grid { stroke: #333840; } .axis { stroke: #8a8f98; }
.s0 { stroke: #56b4e9; } .s1 { stroke: #e69f00; } .s2 { stroke: #2fcf9f; } .s3 { stroke: #e08fc0; }
.m0 { fill: #56b4e9; } .m1 { fill: #e69f00; } .m2 { fill: #2fcf9f; } .m3 { fill: #e08fc0; }
}
</style>
)";

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default:
        // XML allows no control characters, not even escaped.
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

/// Maps data to user units. The ticks' ends are the axis' ends.
struct Axis {
  std::vector<double> ticks;
  double from = 0, to = 0;  // user units of the first and the last tick

  double operator()(double value) const {
    return from + (to - from) * (value - ticks.front()) / (ticks.back() - ticks.front());
  }
};

/// The finite values' range; `otherwise` when there is none.
std::pair<double, double> range(const LineChart& chart, std::vector<double> Series::*values,
                                std::pair<double, double> otherwise) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Series& series : chart.series) {
    for (const double value : series.*values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  return low <= high ? std::pair{low, high} : otherwise;
}

Axis x_axis(const LineChart& chart) {
  const auto [low, high] = range(chart, &Series::x, {0, 1});
  Axis axis{round_ticks(low, high, 6, chart.whole_x), kLeft, kLeft + kPlotWidth};
  // Lines should fill the panel: the axis ends at the data where there is more than one x.
  if (low < high) {
    std::erase_if(axis.ticks, [&](double tick) { return tick <= low || tick >= high; });
    axis.ticks.insert(axis.ticks.begin(), low);
    axis.ticks.push_back(high);
  }
  return axis;
}

Axis y_axis(const LineChart& chart) {
  const auto [low, high] = chart.y_range.value_or(range(chart, &Series::y, {0, 1}));
  return {round_ticks(low, high, 5), kTop + kPlotHeight, kTop};
}

std::string draw_axes(const LineChart& chart, const Axis& x, const Axis& y) {
  std::string svg;
  const double right = kLeft + kPlotWidth, bottom = kTop + kPlotHeight;
  for (const double tick : y.ticks) {
    svg += fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/>)", kLeft, y(tick), right);
    svg += fmt::format("<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{:.6g}</text>\n", kLeft - 8,
                       y(tick) + 4, tick);
  }
  double last_label = -kWidth;
  for (const double tick : x.ticks) {
    // The data's ends always have a label; a round tick too near to one has none.
    const double at = x(tick);
    const bool near = at - last_label < 30 || (tick != x.ticks.back() && right - at < 30);
    if (near && tick != x.ticks.back()) continue;
    last_label = at;
    svg += fmt::format(R"(<path class="axis" d="M{:.1f} {:.1f}v5"/>)", at, bottom);
    svg += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{:.6g}</text>\n", at,
                       bottom + 19, tick);
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\"/>\n", kLeft, kTop,
                     bottom, right);
  const double center = kLeft + kPlotWidth / 2, middle = kTop + kPlotHeight / 2;
  svg += fmt::format("<text class=\"title\" x=\"{:.1f}\" y=\"24\">{}</text>\n", kLeft,
                     escape(chart.title));
  svg += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", center,
                     kHeight - 12, escape(chart.x_label));
  svg += fmt::format(
      "<text class=\"middle\" transform=\"translate(16 {:.1f}) rotate(-90)\">{}</text>\n", middle,
      escape(chart.y_label));
  return svg;
}

/// A circle, square, triangle or diamond.
std::string marker(std::size_t index, double x, double y) {
  constexpr std::array kShapes{"m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", "m-3-3h6v6h-6z",
                               "m0-4l4 7h-8z", "m0-4.5l4.5 4.5l-4.5 4.5l-4.5-4.5z"};
  return fmt::format("<path class=\"mark m{0}\" d=\"M{1:.2f} {2:.2f}{3}\"/>\n", index, x, y,
                     kShapes[index]);
}

std::string draw_series(const Series& series, std::size_t index, const Axis& x, const Axis& y) {
  std::string line, marks;
  bool pen_down = false;
  // Markers on every point of a long run would hide the line.
  const bool crowded = series.x.size() > 40;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const bool drawn = std::isfinite(series.x[i]) && std::isfinite(series.y[i]);
    if (drawn) {
      const double px = x(series.x[i]);
      const double py = std::clamp(y(series.y[i]), kTop, kTop + kPlotHeight);
      line += fmt::format("{}{:.2f} {:.2f}", pen_down ? 'L' : 'M', px, py);
      const bool alone = !pen_down && (i + 1 == series.x.size() || !std::isfinite(series.y[i + 1]));
      if (!crowded || alone) marks += marker(index, px, py);
    }
    pen_down = drawn;
  }
  if (line.empty()) return {};
  return fmt::format("<path class=\"line s{}\" d=\"{}\"/>\n{}", index, line, marks);
}

std::string draw_legend(const LineChart& chart) {
  std::string svg;
  double left = kLeft;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    if (series.y.empty()) continue;
    const bool any = std::any_of(series.y.begin(), series.y.end(),
                                 [](double value) { return std::isfinite(value); });
    const std::string name = series.name + (any ? "" : " (no values)");
    svg += fmt::format("<path class=\"line s{}\" d=\"M{:.1f} 44h28\"/>{}", i, left,
                       marker(i, left + 14, 44));
    svg += fmt::format("<text x=\"{:.1f}\" y=\"48\">{}</text>\n", left + 34, escape(name));
    // About 6.5 units a letter at 12 px; there is no font to ask.
    left += 34 + 6.5 * static_cast<double>(name.size()) + 18;
  }
  return svg;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int wanted, bool whole) {
  if (!(low < high)) {
    const double margin = whole ? 1 : std::max(std::abs(low) * 0.1, 1e-3);
    low -= margin;
    high += margin;
  }
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  double step = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  if (whole) step = std::max(step, 1.0);
  // A value that is a multiple of the step up to rounding must not open one more interval.
  const double slack = 1e-9;
  const double first = std::floor(low / step + slack), last = std::ceil(high / step - slack);
  std::vector<double> ticks;
  // Products of whole numbers, so that the rounding of a sum does not show in a label; + 0 turns
  // -0 into 0.
  for (double i = first; i <= last; ++i) ticks.push_back(i * step + 0.0);
  return ticks;
}

std::string to_svg(std::span<const LineChart> panels) {
  check(!panels.empty(), "line chart: no panel to draw; pass at least one");
  const double width = kWidth * static_cast<double>(panels.size());
  std::string title, body;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const LineChart& chart = panels[i];
    check(chart.series.size() <= kMaxSeries,
          "line chart '{}': {} series; at most {} can be told apart, draw more panels", chart.title,
          chart.series.size(), kMaxSeries);
    for (const Series& series : chart.series) {
      check(series.x.size() == series.y.size(),
            "line chart '{}': series '{}' has {} x values and {} y values; they must match",
            chart.title, series.name, series.x.size(), series.y.size());
    }
    const Axis x = x_axis(chart), y = y_axis(chart);
    title += (i > 0 ? "; " : "") + escape(chart.title);
    body += fmt::format("<g transform=\"translate({:.0f} 0)\">\n", kWidth * static_cast<double>(i));
    body += draw_axes(chart, x, y) + draw_legend(chart);
    for (std::size_t s = 0; s < chart.series.size(); ++s)
      body += draw_series(chart.series[s], s, x, y);
    body += "</g>\n";
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" role=\"img\">\n<title>{2}</title>\n{3}"
      "<rect class=\"paper\" width=\"{0:.0f}\" height=\"{1:.0f}\"/>\n{4}</svg>\n",
      width, kHeight, title, kStyle, body);
}

}  // namespace glia
