#include "engine/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/svg.h"

namespace glia {

namespace {

// One panel in user units (CSS pixels): the plot area and the room around it.
constexpr double kWidth = 460, kHeight = 340;
constexpr double kLeft = 64, kRight = 18, kTop = 64, kBottom = 52;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr std::size_t kMaxSeries = 4;
constexpr std::size_t kMaxMarked = 40;  // markers on every point of a long line would hide it
constexpr std::size_t kMaxBars = 12;    // more bars of spread than that hide each other

/// Maps data to user units. The ticks' ends are the axis' ends.
struct Axis {
  std::vector<double> ticks;
  double from = 0, to = 0;  // user units of the first and the last tick

  bool covers(double value) const { return value >= ticks.front() && value <= ticks.back(); }
  double operator()(double value) const {
    return from + (to - from) * (value - ticks.front()) / (ticks.back() - ticks.front());
  }
  /// On the edge when it lies beyond it.
  double clamped(double value) const {
    return (*this)(std::clamp(value, ticks.front(), ticks.back()));
  }
};

/// The range of finite values.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void cover(const std::vector<double>& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  std::pair<double, double> value() const {
    return low <= high ? std::pair{low, high} : std::pair{0.0, 1.0};
  }
};

Axis x_axis(const LineChart& chart) {
  if (!chart.x_names.empty()) {
    // Half a place of room at both ends.
    Axis axis{{-0.5}, kLeft, kLeft + kPlotWidth};
    for (std::size_t i = 0; i < chart.x_names.size(); ++i)
      axis.ticks.push_back(static_cast<double>(i));
    axis.ticks.push_back(static_cast<double>(chart.x_names.size()) - 0.5);
    return axis;
  }
  Range data;
  for (const Series& series : chart.series) data.cover(series.x);
  // No structured binding, which clang 14 cannot capture.
  const auto range = chart.x_range.value_or(data.value());
  const double low = range.first, high = range.second;
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
  Range data;
  for (const Series& series : chart.series) {
    data.cover(series.y);
    data.cover(series.low);
    data.cover(series.high);
  }
  const auto [low, high] = chart.y_range.value_or(data.value());
  return {round_ticks(low, high, 5), kTop + kPlotHeight, kTop};
}

/// What stands below a tick; nothing below the ends of an axis of names.
std::string tick_label(const LineChart& chart, double tick) {
  if (chart.x_names.empty()) return fmt::format("{:.6g}", tick);
  return tick == std::floor(tick) ? chart.x_names[static_cast<std::size_t>(tick)] : "";
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
    const std::string label = tick_label(chart, tick);
    if (label.empty()) continue;
    // The data's ends always have a label; a round tick too near to one has none.
    const double at = x(tick);
    const bool near = at - last_label < 30 || (tick != x.ticks.back() && right - at < 30);
    if (near && tick != x.ticks.back()) continue;
    last_label = at;
    svg += fmt::format(R"(<path class="axis" d="M{:.1f} {:.1f}v5"/>)", at, bottom);
    svg += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", at,
                       bottom + 19, svg_escape(label));
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\"/>\n", kLeft, kTop,
                     bottom, right);
  const double center = kLeft + kPlotWidth / 2, middle = kTop + kPlotHeight / 2;
  svg += fmt::format("<text class=\"title\" x=\"{:.1f}\" y=\"24\">{}</text>\n", kLeft,
                     svg_escape(chart.title));
  svg += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", center,
                     kHeight - 12, svg_escape(chart.x_label));
  svg += fmt::format(
      "<text class=\"middle\" transform=\"translate(16 {:.1f}) rotate(-90)\">{}</text>\n", middle,
      svg_escape(chart.y_label));
  return svg;
}

/// The diagonal and the marked x.
std::string draw_rules(const LineChart& chart, const Axis& x, const Axis& y) {
  std::string svg;
  const double low = std::max(x.ticks.front(), y.ticks.front());
  const double high = std::min(x.ticks.back(), y.ticks.back());
  if (chart.diagonal && low < high)
    svg += fmt::format("<path class=\"axis rule\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", x(low),
                       y(low), x(high), y(high));
  if (chart.mark_x && x.covers(*chart.mark_x))
    svg += fmt::format("<path class=\"axis rule\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>\n",
                       x(*chart.mark_x), kTop, kTop + kPlotHeight);
  return svg;
}

bool drawn(const Series& series, std::size_t i, const Axis& x) {
  return std::isfinite(series.x[i]) && std::isfinite(series.y[i]) && x.covers(series.x[i]);
}

std::string draw_spread(const Series& series, std::size_t index, const Axis& x, const Axis& y) {
  std::string svg, there, back;
  for (std::size_t i = 0; i < series.low.size(); ++i) {
    const bool known =
        drawn(series, i, x) && std::isfinite(series.low[i]) && std::isfinite(series.high[i]);
    if (!known) continue;
    const double px = x(series.x[i]), low = y.clamped(series.low[i]),
                 high = y.clamped(series.high[i]);
    if (series.x.size() <= kMaxBars) {
      svg +=
          fmt::format("<path class=\"bar s{}\" d=\"M{:.2f} {:.2f}V{:.2f}m-4 0h8m-8 {:.2f}h8\"/>\n",
                      index, px, low, high, low - high);
    } else {
      there += fmt::format("{}{:.2f} {:.2f}", there.empty() ? 'M' : 'L', px, high);
      back.insert(0, fmt::format("L{:.2f} {:.2f}", px, low));
    }
  }
  if (there.empty()) return svg;
  return fmt::format("<path class=\"band m{}\" d=\"{}{}z\"/>\n", index, there, back);
}

std::string draw_series(const Series& series, std::size_t index, const Axis& x, const Axis& y) {
  std::string line, marks;
  bool pen_down = false;
  const std::size_t count = series.x.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool here = drawn(series, i, x);
    if (here) {
      const double px = x(series.x[i]), py = y.clamped(series.y[i]);
      if (!series.dots) line += fmt::format("{}{:.2f} {:.2f}", pen_down ? 'L' : 'M', px, py);
      const bool alone = !pen_down && (i + 1 == count || !drawn(series, i + 1, x));
      if (series.dots || count <= kMaxMarked || alone)
        marks += svg_marker(index, px, py, series.titles.empty() ? "" : series.titles[i]);
    }
    pen_down = here;
  }
  if (line.empty()) return marks;
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
    if (!series.dots) svg += fmt::format("<path class=\"line s{}\" d=\"M{:.1f} 44h28\"/>", i, left);
    svg += svg_marker(i, left + 14, 44);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"48\">{}</text>\n", left + 34, svg_escape(name));
    // About 6.5 units a letter at 12 px; there is no font to ask.
    left += 34 + 6.5 * static_cast<double>(name.size()) + 18;
  }
  return svg;
}

void check_series(const LineChart& chart) {
  check(chart.series.size() <= kMaxSeries,
        "line chart '{}': {} series; at most {} can be told apart, draw more panels", chart.title,
        chart.series.size(), kMaxSeries);
  for (const Series& series : chart.series) {
    const std::size_t count = series.x.size();
    const auto fits = [&](std::size_t size) { return size == 0 || size == count; };
    check(series.y.size() == count && fits(series.low.size()) && fits(series.titles.size()) &&
              series.low.size() == series.high.size(),
          "line chart '{}': series '{}' has {} x values, {} y values, {} and {} ends of its spread "
          "and {} titles; they must match",
          chart.title, series.name, count, series.y.size(), series.low.size(), series.high.size(),
          series.titles.size());
  }
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
    check_series(chart);
    const Axis x = x_axis(chart), y = y_axis(chart);
    title += (i > 0 ? "; " : "") + svg_escape(chart.title);
    body += fmt::format("<g transform=\"translate({:.0f} 0)\">\n", kWidth * static_cast<double>(i));
    body += draw_axes(chart, x, y) + draw_rules(chart, x, y) + draw_legend(chart);
    for (std::size_t s = 0; s < chart.series.size(); ++s)
      body += draw_spread(chart.series[s], s, x, y);
    for (std::size_t s = 0; s < chart.series.size(); ++s)
      body += draw_series(chart.series[s], s, x, y);
    body += "</g>\n";
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" role=\"img\">\n<title>{2}</title>\n{3}"
      "<rect class=\"paper\" width=\"{0:.0f}\" height=\"{1:.0f}\"/>\n{4}</svg>\n",
      width, kHeight, title, svg_style(), body);
}

}  // namespace glia
