#include "engine/sweep/study_files.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/base/csv.h"
#include "engine/base/json.h"
#include "engine/sweep/published.h"

namespace glia::sweep {

namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json spread_json(const Spread& spread) {
  return {{"n", spread.n},
          {"mean", number_or_null(spread.mean)},
          {"standard_deviation", number_or_null(spread.deviation)}};
}

Json values_json(const std::vector<std::string>& values) {
  Json json;
  for (std::size_t i = 0; i < values.size(); ++i) json[settings()[i].flag] = values[i];
  return json;
}

Json trial_json(const Trial& trial) {
  Json json = {
      {"folder", "trials/" + trial.name()},
      {"settings", values_json(trial.point().values)},
      {"seed", trial.point().seed},
      {"length", {{"epochs", trial.length().epochs}, {"max_steps", trial.length().max_steps}}},
      {"state", name_of(trial.state())},
      {"failure", trial.failure()},
      {"epochs", Json::array()}};
  for (const MetricsRow& row : trial.rows()) json["epochs"].push_back(row.to_json());
  return json;
}

template <class List>
Json published_json(const List& list, const char* x) {
  Json json = Json::array();
  for (const Published& value : list)
    json.push_back({{x, value.x}, {"val_loss", value.val_loss}, {"val_batch_iou", value.val_iou}});
  return json;
}

}  // namespace

std::string study_json(const Study& study) {
  Json grid;
  for (std::size_t i = 0; i < study.grid.values.size(); ++i)
    grid[settings()[i].flag] = study.grid.values[i];
  Json json = {{"name", study.name},
               {"grid", grid},
               {"seeds", study.grid.seeds},
               {"epochs", study.epochs},
               {"match", name_of(study.match)},
               {"trials", Json::array()},
               {"means", Json::array()},
               {"published",
                {{"note", kPublishedNote},
                 {"by_batch_size_after_2_epochs", published_json(kPublishedByBatch, "batch_size")},
                 {"by_epoch_with_batch_6", published_json(kPublishedByEpoch, "epoch")}}},
               {"provenance", study.provenance},
               {"environment", study.environment}};
  for (const Trial& trial : study.trials) json["trials"].push_back(trial_json(trial));
  for (const Combination& combination : combine(study))
    for (const Figures& figures : combination.curve)
      json["means"].push_back({{"settings", values_json(combination.values)},
                               {"epoch", figures.epoch},
                               {"steps", figures.steps},
                               {"images", figures.images},
                               {"val_loss", spread_json(figures.val_loss)},
                               {"val_batch_iou", spread_json(figures.val_iou)}});
  return json_text(json, 2) + "\n";
}

std::string trials_csv(const Study& study) {
  std::string csv = "trial,state";
  for (const Setting& setting : settings()) csv += fmt::format(",{}", setting.flag);
  csv +=
      ",seed,epoch,steps,images,train_loss,train_batch_iou,val_loss,val_batch_iou,seconds,"
      "failure\n";
  for (const Trial& trial : study.trials) {
    std::string start = fmt::format("{},{}", csv_cell(trial.name()), name_of(trial.state()));
    for (const std::string& value : trial.point().values) start += "," + csv_cell(value);
    start += fmt::format(",{}", trial.point().seed);
    const std::string end = "," + csv_cell(trial.failure()) + "\n";
    for (const MetricsRow& row : trial.rows())
      csv += fmt::format("{},{},{},{},{},{},{},{},{:.3f}{}", start, row.epoch, row.steps,
                         row.images, row.train_loss, row.train_batch_iou, row.val_loss,
                         row.val_batch_iou, row.train_seconds + row.val_seconds, end);
    if (trial.rows().empty()) csv += start + ",,,,,,,," + end;
  }
  return csv;
}

}  // namespace glia::sweep
