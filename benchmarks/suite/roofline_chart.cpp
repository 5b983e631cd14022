#include "benchmarks/suite/roofline_chart.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "benchmarks/suite/statistics.h"
#include "engine/base/svg.h"

namespace glia::bench {

namespace {

constexpr double kWidth = 1000, kHeight = 640;
constexpr double kLeft = 70, kRight = 975, kTop = 84, kBottom = 580;
constexpr double kLetter = 5.4, kLine = 11;  // of a label at 10 px; there is no font to ask
constexpr std::array kGroups{"convolutions, forward", "dgrad", "wgrad", "everything else"};

struct Axis {
  double low, high;  // powers of ten
  double from, to;   // user units

  double operator()(double value) const {
    return from + (to - from) * (std::log10(value) - low) / (high - low);
  }
};

struct Dot {
  std::size_t group, backend;
  double intensity, rate;  // FLOP/byte, FLOP/s
  std::string label, title;
};

/// "encoder.0.conv1" as "enc0.conv1".
std::string short_layer(const std::string& layer) {
  std::string text = layer;
  for (const auto& [from, to] :
       {std::pair{"encoder.", "enc"}, {"decoder.", "dec"}, {"bottleneck", "mid"}})
    if (text.starts_with(from)) text = to + text.substr(std::string_view(from).size());
  return text;
}

Dot make_dot(const Report& report, const KernelResult& result, std::size_t backend) {
  const Call& call = result.row.call;
  const Measurement& m = result.measurements[backend];
  const double seconds = summarize(m.warm).median;
  const std::string phase = name_of(call.phase);
  const bool convolution = call.op.starts_with("conv");
  const Roof limit = roof(report.peaks, call.flops, call.bytes(), m.arithmetic);
  return {
      .group = !convolution       ? std::size_t{3}
               : phase == "dgrad" ? std::size_t{1}
               : phase == "wgrad" ? std::size_t{2}
                                  : std::size_t{0},
      .backend = backend,
      .intensity = call.flops / call.bytes(),
      .rate = call.flops / seconds,
      .label = convolution ? short_layer(result.row.layers.front()) : call.op + " " + phase,
      .title = fmt::format(
          "{} {} {}, {}, {}: {:.3f} ms, {:.1f} GFLOP/s{}", result.row.layers.front(), call.op,
          phase, call.extent.str(), m.backend, 1e3 * seconds, 1e-9 * call.flops / seconds,
          limit.seconds > 0 ? fmt::format(", {:.0f}% of its roof", 100 * limit.seconds / seconds)
                            : "")};
}

std::vector<Dot> make_dots(const Report& report) {
  std::vector<Dot> dots;
  for (const KernelResult& result : report.kernels)
    for (std::size_t i = 0; i < result.measurements.size(); ++i)
      if (!result.measurements[i].warm.empty() && result.row.call.flops > 0)
        dots.push_back(make_dot(report, result, i));
  return dots;
}

/// Axes whose ends are decades around all dots and these values.
Axis axis(const std::vector<Dot>& dots, double Dot::*value, std::initializer_list<double> values,
          double from, double to) {
  double low = std::min(values), high = std::max(values);
  for (const Dot& dot : dots) {
    low = std::min(low, dot.*value);
    high = std::max(high, dot.*value);
  }
  return {std::floor(std::log10(low)), std::ceil(std::log10(high) + 0.05), from, to};
}

/// Its ceiling where some row is measured against it, else 0.
double other_rate(const Report& report, Arithmetic arithmetic) {
  for (const KernelResult& result : report.kernels)
    for (const Measurement& m : result.measurements)
      if (m.arithmetic == arithmetic && !m.warm.empty()) return report.peaks.rate(arithmetic);
  return 0;
}

std::string draw_grid(const Axis& x, const Axis& y) {
  std::string svg;
  for (double power = x.low; power <= x.high; ++power) {
    const double at = x(std::pow(10, power));
    svg += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", at, kTop, kBottom);
    svg += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{:g}</text>\n", at,
                       kBottom + 18, std::pow(10, power));
  }
  for (double power = y.low; power <= y.high; ++power) {
    const double at = y(std::pow(10, power));
    svg += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", kLeft, at, kRight);
    svg += fmt::format("<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{:g}</text>\n", kLeft - 8,
                       at + 4, 1e-9 * std::pow(10, power));
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\"/>\n", kLeft, kTop,
                     kBottom, kRight);
  svg += fmt::format(
      "<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">operations a byte "
      "(FLOP/byte)</text>\n",
      (kLeft + kRight) / 2, kBottom + 42);
  svg += fmt::format(
      "<text class=\"middle\" transform=\"translate(20 {:.1f}) rotate(-90)\">"
      "GFLOP/s</text>\n",
      (kTop + kBottom) / 2);
  return svg;
}

std::string draw_roof(const Peaks& peaks, const Axis& x, const Axis& y) {
  // From where memory's line enters the picture, at the left or from below.
  const double enters = std::max(std::pow(10, x.low), std::pow(10, y.low) / peaks.bytes);
  const double ridge = peaks.flops / peaks.bytes, right = std::pow(10, x.high);
  std::string svg = fmt::format(
      "<path class=\"axis\" stroke-width=\"2\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}H{:.1f}\"/>\n",
      x(enters), y(enters * peaks.bytes), x(ridge), y(peaks.flops), x(right));
  svg += fmt::format("<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{:.4g} GFLOP/s</text>\n",
                     kRight, y(peaks.flops) - 7, 1e-9 * peaks.flops);
  const double middle = std::sqrt(enters * ridge);
  svg += fmt::format("<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{:.4g} GB/s</text>\n",
                     x(middle) - 8, y(middle * peaks.bytes) - 6, 1e-9 * peaks.bytes);
  return svg;
}

/// The flat roof of another arithmetic than fp32, where kernels were measured in it.
std::string draw_other_roof(const Report& report, Arithmetic arithmetic, const Axis& x,
                            const Axis& y) {
  const double rate = other_rate(report, arithmetic);
  if (rate == 0) return "";
  return fmt::format(
      "<path class=\"axis\" stroke-dasharray=\"6 4\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n"
      "<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}: {:.4g} GFLOP/s</text>\n",
      x(std::max(rate / report.peaks.bytes, std::pow(10, x.low))), y(rate), x(std::pow(10, x.high)),
      kRight, y(rate) - 7, name_of(arithmetic), 1e-9 * rate);
}

struct Box {
  double left, top, right, bottom;

  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

/// Labels where they cover no mark and no other label, beside, above or below their mark.
std::string draw_labels(const std::vector<Dot>& dots, const Axis& x, const Axis& y) {
  std::vector<Box> taken;
  for (const Dot& dot : dots) {
    const double px = x(dot.intensity), py = y(dot.rate);
    taken.push_back({px - 4, py - 4, px + 4, py + 4});
  }
  std::string svg;
  std::set<std::string> placed;
  for (const Dot& dot : dots) {
    // An operation stands in a column of like marks: one label is enough.
    if (dot.backend > 0 || (dot.group == 3 && placed.contains(dot.label))) continue;
    const double px = x(dot.intensity), py = y(dot.rate);
    const double width = kLetter * static_cast<double>(dot.label.size());
    for (const auto& [left, top] : {std::pair{px + 7, py - 6},
                                    {px - 7 - width, py - 6},
                                    {px - width / 2, py - 18},
                                    {px - width / 2, py + 7}}) {
      const Box box{left, top, left + width, top + kLine};
      if (box.left < kLeft || box.right > kRight || box.bottom > kBottom || box.top < kTop)
        continue;
      if (std::any_of(taken.begin(), taken.end(), [&](const Box& b) { return b.overlaps(box); }))
        continue;
      taken.push_back(box);
      placed.insert(dot.label);
      svg += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left,
                         top + 9, svg_escape(dot.label));
      break;
    }
  }
  return svg;
}

std::string draw_legend(const Report& report) {
  std::string svg;
  double left = kLeft;
  const auto add = [&](const std::string& mark, const std::string& text) {
    svg +=
        mark + fmt::format("<text x=\"{:.1f}\" y=\"56\">{}</text>\n", left + 10, svg_escape(text));
    left += 34 + 6.5 * static_cast<double>(text.size());
  };
  for (std::size_t group = 0; group < kGroups.size(); ++group)
    add(svg_marker(group, left, 52), kGroups[group]);
  if (report.backends.size() > 1)
    add("", fmt::format("strong: {}, faint: {}", report.backends[0],
                        fmt::join(report.backends.begin() + 1, report.backends.end(), ", ")));
  return svg;
}

}  // namespace

std::string roofline_svg(const Report& report) {
  check(report.peaks.known(), "roofline: the peak rates are not known; give --peak-gflops");
  const std::vector<Dot> dots = make_dots(report);
  const Peaks& peaks = report.peaks;
  const double highest = std::max(
      {peaks.flops, other_rate(report, Arithmetic::tf32), other_rate(report, Arithmetic::bf16)});
  const Axis x = axis(dots, &Dot::intensity, {peaks.flops / peaks.bytes, highest / peaks.bytes},
                      kLeft, kRight);
  const Axis y = axis(dots, &Dot::rate, {peaks.flops, highest}, kBottom, kTop);
  std::string body = draw_grid(x, y) + draw_roof(peaks, x, y) +
                     draw_other_roof(report, Arithmetic::tf32, x, y) +
                     draw_other_roof(report, Arithmetic::bf16, x, y) + draw_legend(report);
  for (const Dot& dot : dots) {
    const std::string mark = svg_marker(dot.group, x(dot.intensity), y(dot.rate), dot.title);
    body += dot.backend == 0 ? mark : "<g opacity=\"0.4\">" + mark + "</g>\n";
  }
  body += draw_labels(dots, x, y);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" role=\"img\">\n<title>{2}</title>\n{3}<style>.label {{ font-size: 10px; "
      "}}</style>\n<rect class=\"paper\" width=\"{0:.0f}\" height=\"{1:.0f}\"/>\n"
      "<text class=\"title\" x=\"{4:.0f}\" y=\"28\">{2}</text>\n{5}</svg>\n",
      kWidth, kHeight, svg_escape(report.title), svg_style(), kLeft, body);
}

}  // namespace glia::bench
