#include "apps/pictures/case_pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/pictures/pictures.h"
#include "engine/base/check.h"

namespace glia {

namespace {

constexpr std::size_t kWorst = 10, kMedian = 3, kBest = 3;

std::string caption(const Case& item, const std::string& distance_unit) {
  const Counts& c = item.counts;
  std::string text = fmt::format("slice {}", item.id);
  if (!item.patient.empty()) text += fmt::format(", patient {}", item.patient);
  text += fmt::format(": Dice {:.3f}", c.dice().value_or(0));
  if (item.hd95) text += fmt::format(", HD95 {:.1f} {}", *item.hd95, distance_unit);
  return text +
         fmt::format("; truth {} pixels, prediction {}, both {}", c.tp + c.fn, c.tp + c.fp, c.tp);
}

Figure draw(const Case& item, const Slice& slice, const std::vector<float>& prediction,
            std::int64_t channel, const std::string& distance_unit) {
  const Picture grey =
      channel_picture(slice.image, slice.height, slice.width, slice.channels, channel);
  const Picture overlay = overlay_picture(grey, {slice.mask, slice.height, slice.width},
                                          {prediction, slice.height, slice.width});
  return {encode_png(overlay), caption(item, distance_unit)};
}

}  // namespace

std::vector<std::string> ChosenCases::ids() const {
  std::vector<std::string> ids;
  for (const auto* group : {&worst, &median, &best})
    for (const Case& item : *group) ids.push_back(item.id);
  return ids;
}

ChosenCases choose_cases(const std::vector<Case>& slices) {
  std::vector<Case> sorted;
  std::copy_if(slices.begin(), slices.end(), std::back_inserter(sorted),
               [](const Case& item) { return item.counts.dice().has_value(); });
  const auto wrong = [](const Case& item) { return item.counts.fp + item.counts.fn; };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Case& a, const Case& b) {
    const double x = *a.counts.dice(), y = *b.counts.dice();
    return x != y ? x < y : wrong(a) > wrong(b);
  });
  // The worst first, and what is left of a small set to the others.
  ChosenCases chosen;
  const std::size_t n = sorted.size(), worst = std::min(kWorst, n);
  const std::size_t best = n - std::min(kBest, n - worst);
  const std::size_t middle =
      std::clamp((n - std::min(kMedian, n)) / 2, worst, std::max(worst, best));
  chosen.worst.assign(sorted.begin(), sorted.begin() + std::ptrdiff_t(worst));
  chosen.median.assign(sorted.begin() + std::ptrdiff_t(middle),
                       sorted.begin() + std::ptrdiff_t(std::min(middle + kMedian, best)));
  chosen.best.assign(sorted.rbegin(), sorted.rbegin() + std::ptrdiff_t(n - best));
  return chosen;
}

std::vector<Section<std::vector<Figure>>> draw_cases(const ChosenCases& cases,
                                                     const std::vector<Sample>& samples,
                                                     const Masks& predictions, std::int64_t channel,
                                                     const std::string& distance_unit,
                                                     const MoreFigures& more) {
  std::map<std::string, const Sample*> sample_of;
  for (const Sample& sample : samples) sample_of[sample.id] = &sample;
  const auto figures = [&](const std::vector<Case>& group) {
    std::vector<Figure> drawn;
    for (const Case& item : group) {
      check(sample_of.contains(item.id) && predictions.contains(item.id),
            "report: the slice {} has no files or no prediction to draw", item.id);
      const Slice slice = load_slice(*sample_of.at(item.id));
      drawn.push_back(draw(item, slice, predictions.at(item.id), channel, distance_unit));
      if (!more) continue;
      for (Figure& figure : more(slice, item.id)) drawn.push_back(std::move(figure));
    }
    return drawn;
  };
  return {{"The worst slices",
           "Truth: solid green outline. Prediction: dashed red outline around a red tint. Yellow: "
           "both outlines. Slices with an empty truth and an empty prediction are left out.",
           figures(cases.worst)},
          {"Slices around the median", "", figures(cases.median)},
          {"The best slices", "", figures(cases.best)}};
}

}  // namespace glia
