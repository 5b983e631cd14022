// The folder of a training run: config.json, environment.json, split/, metrics.csv, metrics.jsonl,
// curves.svg, log.txt, last.safetensors and best.safetensors.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/report/curves.h"

namespace glia {

/// One epoch of a run.
struct MetricsRow {
  std::int64_t epoch = 0, steps = 0, images = 0;  // steps and images since the start of the run
  double learning_rate = 0;
  double train_loss = 0, train_batch_iou = 0;
  double val_loss = 0, val_batch_iou = 0;
  double val_batch_iou_thresholded = 0, val_pixel_accuracy = 0;
  bool collapsed = false;  // every validation pixel was predicted as background
  double train_seconds = 0, val_seconds = 0;

  /// This epoch's place in the learning curves.
  EpochRow curve_point() const;

  nlohmann::ordered_json to_json() const;
  static MetricsRow from_json(const nlohmann::json& json);
};

/// The epochs in metrics.jsonl of the run folder `run`; none where there is no such file. Throws
/// nlohmann::json::exception when it is damaged.
std::vector<MetricsRow> read_metrics(const std::filesystem::path& run);

class RunFolder {
 public:
  /// Creates the folder. Throws `Error` when it exists and is not empty.
  static RunFolder create(const std::filesystem::path& path);
  /// Opens the folder of an earlier run. Throws `Error` when it holds no last.safetensors.
  static RunFolder open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path last() const { return path_ / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }

  void write_json(const std::string& name, const nlohmann::json& json) const;
  void write_list(const std::string& name, const std::vector<std::string>& lines) const;
  /// Replaces metrics.csv, metrics.jsonl and curves.svg.
  void write_metrics(const std::vector<MetricsRow>& rows, const std::string& loss_label) const;
  /// Appends a line with the time of day to log.txt.
  void log(const std::string& line) const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace glia
