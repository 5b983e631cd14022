// The folder of a training run: config.json, environment.json, split/, metrics.csv, metrics.jsonl,
// curves.svg, log.txt, run.lock, last.safetensors and best.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/base/folder_lock.h"
#include "engine/report/curves.h"

namespace glia {

/// One epoch of a run.
struct MetricsRow {
  std::int64_t epoch = 0, steps = 0, images = 0;  // steps and images since the start of the run
  double learning_rate = 0;
  double train_loss = 0, train_batch_iou = 0;
  double val_loss = 0, val_batch_iou = 0;
  double val_batch_iou_thresholded = 0, val_batch_dice_thresholded = 0, val_pixel_accuracy = 0;
  bool collapsed = false;  // every validation pixel was predicted as background
  double train_seconds = 0, val_seconds = 0;

  /// This epoch's place in the learning curves.
  EpochRow curve_point() const;

  nlohmann::ordered_json to_json() const;
  /// Throws `Error`, led by `name`, on a field that is missing or of another type.
  static MetricsRow from_json(const nlohmann::json& json, const std::string& name);
};

/// The epochs in metrics.jsonl of the run folder `run`; none where there is no such file. Throws
/// `Error` naming the line when it is damaged.
std::vector<MetricsRow> read_metrics(const std::filesystem::path& run);

class RunFolder {
 public:
  /// Touches nothing; `begin` or `reopen` has to come before anything is written.
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  /// For a new run: makes the folder and locks it. What a start left there that made no step is
  /// removed, so that the same command, or a corrected one, can be given again. Throws `Error`, and
  /// changes nothing, when the folder holds a run or anything else.
  void begin();
  /// For an earlier run: locks its folder and removes what a killed program left in it. Throws
  /// `Error` when it holds no last.safetensors or another program works in it.
  void reopen();
  /// Removes what was written since `begin`, and the folder if that made it: for a run that came to
  /// nothing.
  void discard();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path last() const { return path_ / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }

  void write_text(const std::string& name, const std::string& text) const;
  void write_json(const std::string& name, const nlohmann::json& json) const;
  void write_list(const std::string& name, const std::vector<std::string>& lines) const;
  /// Replaces metrics.csv, metrics.jsonl and curves.svg.
  void write_metrics(const std::vector<MetricsRow>& rows, const std::string& loss_label,
                     const std::optional<BestEpoch>& best) const;
  /// Appends a line with the time of day to log.txt.
  void log(const std::string& line) const;

 private:
  /// Whether an epoch was ended here.
  bool has_results() const;
  /// The first entry that no run writes; empty when there is none.
  std::string foreign_entry() const;
  void remove_own_files() const;

  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // by `begin`, the outermost first
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace glia
