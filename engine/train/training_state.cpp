#include "engine/train/training_state.h"

#include "engine/base/check.h"
#include "engine/base/json.h"

namespace glia {

namespace {

void check_sums(const EpochSums& sums, const std::string& name) {
  check(
      sums.seconds >= 0 && sums.batch_iou >= 0 && sums.batch_iou <= static_cast<double>(sums.steps),
      "{}: an epoch of {} steps took {} s with a sum of IoUs of {}", name, sums.steps, sums.seconds,
      sums.batch_iou);
  check(sums.steps > 0 || (sums.loss == 0 && sums.images == 0 && sums.seconds == 0),
        "{}: an epoch without a step has a loss, images or a time", name);
}

/// The epochs of a run that made so many steps in them.
void check_rows(const std::vector<MetricsRow>& rows, std::int64_t steps, const std::string& name) {
  std::int64_t before = 0, number = 0;
  for (const MetricsRow& row : rows) {
    check(row.epoch == ++number && row.steps > before,
          "{}: row {} is of epoch {} and step {}, after step {}", name, number, row.epoch,
          row.steps, before);
    before = row.steps;
  }
  check(before == steps, "{}: its epochs end at step {}, and the run's at {}", name, before, steps);
}

}  // namespace

nlohmann::json TrainingState::to_json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const MetricsRow& row : rows) list.push_back(nlohmann::json(row.to_json()));
  nlohmann::json json = {{"epoch", epoch},
                         {"steps", steps},
                         {"images", images},
                         {"epoch_steps", sums.steps},
                         {"epoch_images", sums.images},
                         {"epoch_loss", sums.loss},
                         {"epoch_batch_iou", sums.batch_iou},
                         {"epoch_seconds", sums.seconds},
                         {"schedule", schedule},
                         {"rows", list}};
  if (best) json["best"] = *best;
  return json;
}

TrainingState TrainingState::from_json(const nlohmann::json& json, const std::string& name) {
  const auto whole = [&](const char* key, std::int64_t least) {
    const auto value = json_field<std::int64_t>(json, key, name);
    check(value >= least, "{}: '{}' is {}; expected {} or more", name, key, value, least);
    return value;
  };
  const auto real = [&](const char* key) { return json_field<double>(json, key, name); };
  TrainingState state{.epoch = whole("epoch", 1),
                      .steps = whole("steps", 0),
                      .images = whole("images", 0),
                      .sums = {.loss = real("epoch_loss"),
                               .batch_iou = real("epoch_batch_iou"),
                               .seconds = real("epoch_seconds"),
                               .steps = whole("epoch_steps", 0),
                               .images = whole("epoch_images", 0)},
                      .best = {},
                      .rows = {}};
  if (json.contains("best")) state.best = real("best");
  check(json.contains("schedule") && json["schedule"].is_object() && json.contains("rows") &&
            json["rows"].is_array(),
        "{}: has no 'schedule' or no list of 'rows'", name);
  state.schedule = json["schedule"];
  for (const auto& row : json["rows"])
    state.rows.push_back(
        MetricsRow::from_json(row, fmt::format("{}: row {}", name, state.rows.size() + 1)));
  const auto epochs = static_cast<std::int64_t>(state.rows.size());
  check(epochs == state.epoch - 1, "{}: 'epoch' is {} after {} epochs with figures", name,
        state.epoch, epochs);
  check(state.sums.steps <= state.steps && state.sums.images <= state.images,
        "{}: the epoch has more steps or images than the run", name);
  nlohmann::json known = state.to_json();
  known["config"] = nullptr;  // which TrainConfig reads
  check_known_keys(json, known, name);
  check_sums(state.sums, name);
  check_rows(state.rows, state.steps - state.sums.steps, name);
  return state;
}

}  // namespace glia
