#include "engine/train/run_folder.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/part_file.h"
#include "engine/base/shell_word.h"
#include "engine/base/temporary_name.h"
#include "engine/train/checkpoint.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kLock = "run.lock";
// Losses are 0 or more; what float32 rounds can make of a perfect one.
constexpr double kLossRounding = 1e-3;
constexpr const char* kEvents = "events.out.tfevents.";  // TensorBoard's; a time follows

/// What a run writes; the lock stays.
constexpr const char* kOwn[] = {
    "split",       "config.json", "environment.json", "log.txt",          "report.html",
    "metrics.csv", kMetrics,      "curves.svg",       "best.safetensors", "last.safetensors"};

bool is_own(const std::string& name) {
  return std::any_of(std::begin(kOwn), std::end(kOwn),
                     [&](const char* own) { return name == own; }) ||
         name.starts_with(kEvents);
}

/// "last.safetensors.part1234": how earlier versions named what grows.
bool is_old_part(const std::string& name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  return digits < name.size() && name.substr(0, digits).ends_with(".part") &&
         is_own(name.substr(0, digits - 5));
}

/// Whether a checkpoint is from before the first step, so that nothing is lost with it.
bool is_from_before_training(const fs::path& last) {
  try {
    const nlohmann::json& info = Checkpoint::open(last).info;
    return json_field<std::int64_t>(info, "steps", last.string()) == 0;
  } catch (const Error&) {
    return false;  // whoever damaged it may be able to mend it
  }
}

}  // namespace

EpochRow MetricsRow::curve_point() const {
  return {.epoch = static_cast<double>(epoch),
          .train_loss = train_loss,
          .val_loss = val_loss,
          .train_batch_iou = train_batch_iou,
          .val_batch_iou = val_batch_iou,
          .val_batch_iou_thresholded = val_batch_iou_thresholded,
          .val_batch_dice_thresholded = val_batch_dice_thresholded};
}

nlohmann::ordered_json MetricsRow::to_json() const {
  return {{"epoch", epoch},
          {"steps", steps},
          {"images", images},
          {"learning_rate", learning_rate},
          {"train_loss", train_loss},
          {"train_batch_iou", train_batch_iou},
          {"val_loss", val_loss},
          {"val_batch_iou", val_batch_iou},
          {"val_batch_iou_thresholded", val_batch_iou_thresholded},
          {"val_batch_dice_thresholded", val_batch_dice_thresholded},
          {"val_pixel_accuracy", val_pixel_accuracy},
          {"collapsed", collapsed},
          {"train_seconds", train_seconds},
          {"val_seconds", val_seconds}};
}

MetricsRow MetricsRow::from_json(const nlohmann::json& json, const std::string& name) {
  const auto whole = [&](const char* key) { return json_field<std::int64_t>(json, key, name); };
  const auto real = [&](const char* key) { return json_field<double>(json, key, name); };
  // Missing in runs of earlier versions, and null where they were gone on with.
  constexpr const char* kDice = "val_batch_dice_thresholded";
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const bool has_dice = json.is_object() && json.contains(kDice) && !json[kDice].is_null();
  const auto share = [&](const char* key) {
    const double value = real(key);
    check(value >= 0 && value <= 1, "{}: '{}' is {}; expected 0 to 1", name, key, value);
    return value;
  };
  const auto amount = [&](const char* key) {
    const double value = real(key);
    check(value >= 0, "{}: '{}' is {}; expected 0 or more", name, key, value);
    return value;
  };
  const auto loss = [&](const char* key) {
    const double value = real(key);
    check(value >= -kLossRounding, "{}: '{}' is {}; expected a loss of 0 or more", name, key,
          value);
    return value;
  };
  MetricsRow row{.epoch = whole("epoch"),
                 .steps = whole("steps"),
                 .images = whole("images"),
                 .learning_rate = amount("learning_rate"),
                 .train_loss = loss("train_loss"),
                 .train_batch_iou = share("train_batch_iou"),
                 .val_loss = loss("val_loss"),
                 .val_batch_iou = share("val_batch_iou"),
                 .val_batch_iou_thresholded = share("val_batch_iou_thresholded"),
                 .val_batch_dice_thresholded = has_dice ? share(kDice) : kUnknown,
                 .val_pixel_accuracy = share("val_pixel_accuracy"),
                 .collapsed = json_field<bool>(json, "collapsed", name),
                 .train_seconds = amount("train_seconds"),
                 .val_seconds = amount("val_seconds")};
  check_known_keys(json, nlohmann::json(row.to_json()), name);
  return row;
}

std::vector<MetricsRow> read_metrics(const fs::path& run) {
  std::vector<MetricsRow> rows;
  const fs::path file = run / kMetrics;
  if (!fs::exists(file)) return rows;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = fmt::format("{}: line {}", file.string(), rows.size() + 1);
    rows.push_back(MetricsRow::from_json(parse_json(line, name), name));
  }
  return rows;
}

std::string RunFolder::foreign_entry() const {
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name != kLock && !is_own(name) && !is_old_part(name) && !is_temporary_name(name))
      return name;
  }
  return {};
}

bool RunFolder::has_results() const {
  return fs::exists(best()) || fs::exists(path_ / kMetrics);
}

void RunFolder::remove_own_files() const {
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (is_own(name) || is_old_part(name)) fs::remove_all(entry.path(), ignored);
  }
  remove_part_files(path_);
}

void RunFolder::begin() {
  const auto refuse = [&] {
    check(fs::exists(last()), "{}: is there already, and no run; choose another --out",
          path_.string());
    fail("{}: the run folder exists and is not empty; choose another --out, or --resume {}",
         path_.string(), shell_word(path_.string()));
  };
  std::error_code error;
  const bool used = fs::exists(path_, error) && !fs::is_empty(path_, error);
  if (used && (!fs::is_directory(path_) || !fs::exists(path_ / kLock))) refuse();
  made_ = make_folder(path_);
  lock_ = std::make_unique<FolderLock>(path_ / kLock);
  if (fs::exists(last()) && !is_from_before_training(last())) refuse();
  check(fs::exists(last()) || !has_results(),
        "{}: holds a run whose last.safetensors is gone, and what it has trained would be removed; "
        "choose another --out, or move that folder elsewhere",
        path_.string());
  const std::string foreign = foreign_entry();
  check(foreign.empty(), "{}: holds {}, which no run writes; choose another --out", path_.string(),
        foreign);
  remove_own_files();
  make_folder(path_ / "split");
}

void RunFolder::reopen() {
  std::error_code error;
  check(fs::exists(path_, error), "--resume {}: no such folder; name that of a run, its --out",
        path_.string());
  check(fs::is_directory(path_, error),
        "--resume {}: a file; name the folder of the run, as in "
        "--resume {}",
        path_.string(), shell_word(folder_of(path_).string()));
  const auto check_last = [&] {
    check(fs::exists(last()) || !has_results(),
          "{}: its last.safetensors is gone, and no run goes on without it; take it from a copy of "
          "the run, or start a new one in another folder",
          path_.string());
    check(fs::exists(last()),
          "{}: found no last.safetensors; --resume needs the folder of a run, and one that was "
          "stopped before its first checkpoint is started again with its first command",
          path_.string());
  };
  check_last();
  lock_ = std::make_unique<FolderLock>(path_ / kLock);
  check_last();  // another program may have removed it until now
  remove_part_files(path_);
  for (const auto& entry : fs::directory_iterator(path_))
    if (is_old_part(entry.path().filename().string())) fs::remove(entry.path());
}

void RunFolder::discard() {
  remove_own_files();
  std::error_code ignored;
  fs::remove(path_ / kLock, ignored);
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder)
    fs::remove(*folder, ignored);  // only when it is empty
}

void RunFolder::write_text(const std::string& name, const std::string& text) const {
  write_file_atomically(path_ / name, text);
}

void RunFolder::write_json(const std::string& name, const nlohmann::json& json) const {
  write_text(name, json_text(json, 2) + "\n");
}

void RunFolder::write_list(const std::string& name, const std::vector<std::string>& lines) const {
  write_text(name, fmt::format("{}\n", fmt::join(lines, "\n")));
}

void RunFolder::write_metrics(const std::vector<MetricsRow>& rows, const std::string& loss_label,
                              const std::optional<BestEpoch>& best) const {
  std::string csv, jsonl;
  std::vector<EpochRow> curve;
  for (const MetricsRow& row : rows) {
    const auto json = row.to_json();
    std::vector<std::string> names, values;
    for (const auto& [name, value] : json.items()) {
      names.push_back(name);
      values.push_back(value.dump());
    }
    if (csv.empty()) csv = fmt::format("{}\n", fmt::join(names, ","));
    csv += fmt::format("{}\n", fmt::join(values, ","));
    jsonl += json.dump() + "\n";
    curve.push_back(row.curve_point());
  }
  write_file_atomically(path_ / "metrics.csv", csv);
  write_file_atomically(path_ / kMetrics, jsonl);
  if (!curve.empty())
    write_file_atomically(path_ / "curves.svg", learning_curves_svg(curve, loss_label, best));
}

void RunFolder::log(const std::string& line) const {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  append_to_file(path_ / "log.txt", fmt::format("{:%Y-%m-%d %H:%M:%S} {}\n", now, line));
}

}  // namespace glia
