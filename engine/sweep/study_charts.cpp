#include "engine/sweep/study_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "engine/sweep/published.h"

namespace glia::sweep {

namespace {

constexpr std::size_t kLines = 3;        // a chart takes four series, one may be the published one
constexpr std::size_t kLegendRoom = 31;  // letters of all names of a legend
constexpr std::size_t kAxisRoom = 45;    // letters of all names below an axis

/// A line of both panels.
struct Line {
  std::string name;
  std::vector<double> x;
  std::vector<Figures> figures;
};

/// The names as they are, or the letters A, B, ... and what they mean, where they take more than
/// `room` letters.
std::vector<std::string> short_names(const std::vector<std::string>& names, std::size_t room,
                                     std::string& key) {
  std::size_t letters = 0;
  for (const std::string& name : names) letters += name.size();
  if (letters <= room || names.size() > 26) return names;
  std::vector<std::string> shorter;
  for (const std::string& name : names) {
    shorter.emplace_back(1, static_cast<char>('A' + shorter.size()));
    key += fmt::format("{}{}: {}", key.empty() ? "" : "; ", shorter.back(), name);
  }
  return shorter;
}

Series to_series(const Line& line, Spread Figures::*value, const char* unit) {
  Series series{.name = line.name, .x = line.x};
  for (const Figures& figures : line.figures) {
    const Spread& spread = figures.*value;
    series.y.push_back(spread.mean);
    series.low.push_back(spread.mean - spread.deviation);
    series.high.push_back(spread.mean + spread.deviation);
    series.titles.push_back(
        fmt::format("{}: {:.4f}{}, n = {}, {} steps, {} images", unit, spread.mean,
                    spread.n > 1 ? fmt::format(" ± {:.4f}", spread.deviation) : "", spread.n,
                    figures.steps, figures.images));
  }
  return series;
}

Series to_series(std::span<const Published> list, double Published::*value, const char* name) {
  Series series{.name = name};
  for (const Published& point : list) {
    series.x.push_back(point.x);
    series.y.push_back(point.*value);
    series.titles.push_back(fmt::format("published: {}, one run", point.*value));
  }
  return series;
}

/// Everything about a chart but its lines.
struct Frame {
  std::string what, x_label;
  bool whole_x = false;
  std::vector<std::string> x_names = {};
  std::span<const Published> published = {};
  bool published_loss = false;
};

/// "-log(IoU)" where all trials have that loss.
std::string loss_label(const Study& study) {
  const auto& losses = study.grid.values[kLoss];
  return losses == std::vector<std::string>{"iou"} ? "val_loss, -log(IoU)"
         : losses.size() == 1                      ? "val_loss, " + losses.front()
                                                   : "val_loss, each loss on a scale of its own";
}

std::string draw(const Study& study, const Frame& frame, std::span<const Line> lines) {
  LineChart loss{.title = "val_loss " + frame.what,
                 .x_label = frame.x_label,
                 .y_label = loss_label(study),
                 .whole_x = frame.whole_x,
                 .x_names = frame.x_names};
  LineChart iou = loss;
  iou.title = "val_IoU " + frame.what;
  iou.y_label = "batch IoU (0 to 1, higher is better)";
  iou.y_range = std::pair{0.0, 1.0};
  for (const Line& line : lines) {
    loss.series.push_back(to_series(line, &Figures::val_loss, "val_loss"));
    iou.series.push_back(to_series(line, &Figures::val_iou, "val_IoU"));
  }
  if (!frame.published.empty()) {
    if (frame.published_loss)
      loss.series.push_back(to_series(frame.published, &Published::val_loss, "published"));
    iou.series.push_back(to_series(frame.published, &Published::val_iou, "published"));
  }
  return to_svg(std::array{loss, iou});
}

std::vector<Chart> draw_in_threes(const Study& study, const Frame& frame, std::vector<Line> lines,
                                  const std::string& axis_key) {
  std::vector<Chart> charts;
  for (std::size_t from = 0; from < lines.size(); from += kLines) {
    const std::size_t to = std::min(from + kLines, lines.size());
    std::vector<std::string> names;
    for (std::size_t i = from; i < to; ++i) names.push_back(lines[i].name);
    std::string key = axis_key;
    const std::size_t taken = frame.published.empty() ? 0 : 9;
    names = short_names(names, kLegendRoom - taken, key);
    for (std::size_t i = from; i < to; ++i) lines[i].name = names[i - from];
    charts.push_back({draw(study, frame, std::span(lines).subspan(from, to - from)), key});
  }
  return charts;
}

/// Whether the published losses are on the scale of the study's.
bool same_loss(const Study& study) {
  const auto flags = study.provenance.value("flags", nlohmann::ordered_json::object());
  return study.grid.values[kLoss] == std::vector<std::string>{"iou"} && !flags.contains("smooth") &&
         !flags.contains("region");
}

std::string name_line(const std::vector<std::string>& values,
                      const std::vector<std::size_t>& which) {
  return which.empty() ? "this study" : describe(values, which);
}

}  // namespace

std::vector<Chart> setting_charts(const Study& study, const std::vector<Combination>& combinations,
                                  std::size_t setting, std::int64_t compared) {
  const Setting& kind = settings()[setting];
  std::vector<std::string> places = study.grid.values[setting];
  if (kind.whole)
    std::sort(places.begin(), places.end(), [](const std::string& a, const std::string& b) {
      return std::stoll(a) < std::stoll(b);
    });
  std::vector<std::size_t> others = study.grid.varied();
  std::erase(others, setting);
  // Combinations that differ in this setting alone are one line.
  std::vector<Line> lines;
  for (const Combination& first : combinations) {
    if (first.values[setting] != places.front()) continue;
    Line line{.name = name_line(first.values, others), .x = {}, .figures = {}};
    for (std::size_t place = 0; place < places.size(); ++place) {
      auto values = first.values;
      values[setting] = places[place];
      const auto found =
          std::find_if(combinations.begin(), combinations.end(),
                       [&](const Combination& other) { return other.values == values; });
      const auto figures = figures_at(*found, compared);
      if (!figures) continue;
      line.x.push_back(kind.whole ? std::stod(places[place]) : static_cast<double>(place));
      line.figures.push_back(*figures);
    }
    lines.push_back(std::move(line));
  }
  const std::string when =
      compared == 0 ? "" : fmt::format(", {} epoch{}", compared, compared == 1 ? "" : "s");
  Frame frame{.what = fmt::format("by {}{}", kind.title, when),
              .x_label = kind.title,
              .whole_x = kind.whole};
  std::string key;
  if (!kind.whole) frame.x_names = short_names(places, kAxisRoom, key);
  if (setting == kBatchSize) {
    frame.published = kPublishedByBatch;
    frame.published_loss = same_loss(study);
  }
  return draw_in_threes(study, frame, std::move(lines), key);
}

std::vector<Chart> curve_charts(const Study& study, const std::vector<Combination>& combinations) {
  const bool by_epoch = study.match == Match::epochs;
  const auto place = [&](const Figures& figures) {
    return static_cast<double>(by_epoch                      ? figures.epoch
                               : study.match == Match::steps ? figures.steps
                                                             : figures.images);
  };
  std::vector<Line> lines;
  for (const Combination& combination : combinations) {
    Line line{.name = name_line(combination.values, study.grid.varied()),
              .x = {},
              .figures = combination.curve};
    for (const Figures& figures : combination.curve) line.x.push_back(place(figures));
    lines.push_back(std::move(line));
  }
  Frame frame{.what = by_epoch ? "by epoch" : fmt::format("by {}", name_of(study.match)),
              .x_label = by_epoch                      ? "epoch"
                         : study.match == Match::steps ? "optimizer steps"
                                                       : "images seen",
              .whole_x = true};
  if (by_epoch) {
    frame.published = kPublishedByEpoch;
    frame.published_loss = same_loss(study);
  }
  return draw_in_threes(study, frame, std::move(lines), "");
}

}  // namespace glia::sweep
