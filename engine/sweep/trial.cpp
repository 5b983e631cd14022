#include "engine/sweep/trial.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"

namespace glia::sweep {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json identity_of(const Point& point, const Length& length, bool tied, const Json& common) {
  Json identity;
  for (std::size_t i = 0; i < point.values.size(); ++i)
    identity["settings"][settings()[i].flag] = point.values[i];
  identity["seed"] = point.seed;
  if (tied || length.max_steps > 0)
    identity["length"] = {{"epochs", length.epochs}, {"max_steps", length.max_steps}};
  identity.update(common);
  return identity;
}

/// What a trial.json says, or null where there is none.
Json read_record(const fs::path& folder) {
  const fs::path file = folder / "trial.json";
  if (!fs::exists(file)) return {};
  Json record = json_or_null<Json>(read_file(file, kMaxTextFile));
  check(record.is_object() && record.contains("epochs_done") &&
            record["epochs_done"].is_number_integer() && record.contains("failure") &&
            record["failure"].is_string(),
        "{}: is damaged; remove {} to train this trial anew", file.string(), folder.string());
  return record;
}

}  // namespace

const char* name_of(State state) {
  switch (state) {
    case State::waiting: return "waiting";
    case State::unfinished: return "unfinished";
    case State::failed: return "failed";
    case State::finished: return "finished";
  }
  return "?";
}

Trial::Trial(const fs::path& study, Point point, Length length, bool tied, const Json& common)
    : point_(std::move(point)), length_(length) {
  identity_ = identity_of(point_, length_, tied, common);
  const auto& v = point_.values;
  name_ = fmt::format("b{}-lr{}-{}-w{}-s{}-{}", v[kBatchSize], v[kLearningRate], v[kOptimizer],
                      v[kBaseWidth], point_.seed, hash_text(json_text(identity_)).substr(0, 8));
  folder_ = study / "trials" / name_;
  if (const Json record = read_record(folder_); !record.is_null()) {
    epochs_done_ = record["epochs_done"];
    failure_ = record["failure"];
  }
  read_rows();
}

State Trial::state() const {
  if (epochs_done_ >= length_.epochs && static_cast<std::int64_t>(rows_.size()) >= length_.epochs)
    return State::finished;
  if (!failure_.empty()) return State::failed;
  return has_checkpoint() ? State::unfinished : State::waiting;
}

bool Trial::has_checkpoint() const {
  return fs::exists(run() / "last.safetensors");
}

void Trial::begin() {
  make_folder(folder_);
  if (!has_checkpoint()) {
    check(
        epochs_done_ == 0,
        "{}: has {} epochs but no last.safetensors to train on from; remove {} to train this trial "
        "anew",
        run().string(), epochs_done_, folder_.string());
    fs::remove_all(run());
  }
  failure_.clear();
  write();
}

void Trial::end(bool reached_the_end, const std::string& failure) {
  read_rows();
  if (reached_the_end) epochs_done_ = length_.epochs;
  failure_ = failure;
  write();
}

void Trial::read_rows() {
  try {
    rows_ = read_metrics(run());
  } catch (const Error& error) {
    fail("{}; remove {} to train this trial anew", error.what(), folder_.string());
  }
}

void Trial::write() const {
  Json record = identity_;
  record["epochs_done"] = epochs_done_;
  record["failure"] = failure_;
  write_file_atomically(folder_ / "trial.json", json_text(record, 2) + "\n");
}

std::vector<std::string> finished_trials(const fs::path& study) {
  std::vector<std::string> names;
  if (!fs::is_directory(study / "trials")) return names;
  for (const auto& entry : fs::directory_iterator(study / "trials"))
    if (const Json record = read_record(entry.path());
        !record.is_null() && record["epochs_done"] > 0)
      names.push_back(entry.path().filename().string());
  return names;
}

}  // namespace glia::sweep
