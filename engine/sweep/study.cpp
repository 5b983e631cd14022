#include "engine/sweep/study.h"

#include <fmt/format.h>

#include <algorithm>

namespace glia::sweep {

namespace {

std::vector<Figures> curve_of(const std::vector<const Trial*>& finished) {
  std::vector<Figures> curve;
  for (std::size_t i = 0;; ++i) {
    std::vector<double> losses, ious;
    Figures figures{.epoch = static_cast<std::int64_t>(i) + 1};
    for (const Trial* trial : finished) {
      if (i >= trial->rows().size()) continue;
      const MetricsRow& row = trial->rows()[i];
      figures.steps = row.steps;
      figures.images = row.images;
      losses.push_back(row.val_loss);
      ious.push_back(row.val_batch_iou);
    }
    if (losses.empty()) return curve;
    figures.val_loss = spread_of(losses);
    figures.val_iou = spread_of(ious);
    curve.push_back(figures);
  }
}

}  // namespace

std::int64_t Study::count(State state) const {
  return std::count_if(trials.begin(), trials.end(),
                       [&](const Trial& trial) { return trial.state() == state; });
}

std::string Study::label(const Trial& trial) const {
  const auto varied = grid.varied();
  return fmt::format("{}{}seed {}", describe(trial.point().values, varied),
                     varied.empty() ? "" : ", ", trial.point().seed);
}

std::optional<Figures> Combination::at(std::int64_t epoch) const {
  if (epoch < 1 || epoch > static_cast<std::int64_t>(curve.size())) return {};
  return curve[static_cast<std::size_t>(epoch) - 1];
}

std::vector<Combination> combine(const Study& study) {
  std::vector<Combination> combinations;
  for (const Trial& first : study.trials) {
    if (first.point().seed != 0) continue;
    std::vector<const Trial*> finished;
    for (const Trial& trial : study.trials)
      if (trial.point().values == first.point().values && trial.state() == State::finished)
        finished.push_back(&trial);
    combinations.push_back({.values = first.point().values,
                            .epochs = first.length().epochs,
                            .curve = curve_of(finished)});
  }
  return combinations;
}

std::vector<std::int64_t> compared_epochs(const Study& study) {
  return compares_ends(study) ? std::vector<std::int64_t>{0} : study.epochs;
}

std::optional<Figures> figures_at(const Combination& combination, std::int64_t compared) {
  return combination.at(compared == 0 ? combination.epochs : compared);
}

std::string leak_warning(const Study& study) {
  using Place = nlohmann::ordered_json::json_pointer;
  const auto both = study.provenance.value(Place("/data/patients/on_both_sides"), std::int64_t{0});
  if (both > 0)
    return fmt::format(
        "{} patient{} slices on both sides, in training and in validation, so the figures flatter",
        both, both == 1 ? " has" : "s have");
  if (study.provenance.value(Place("/data/leaking"), false))
    return "split by slice: slices of one patient may stand on both sides";
  return "";
}

std::string describe(const std::vector<std::string>& values,
                     const std::vector<std::size_t>& which) {
  std::string text;
  for (const std::size_t i : which)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", settings()[i].word, values[i]);
  return text;
}

}  // namespace glia::sweep
