#include "engine/train/run_folder.h"

#include <fmt/chrono.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/check.h"
#include "engine/base/file.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMetrics = "metrics.jsonl";

}  // namespace

EpochRow MetricsRow::curve_point() const {
  return {.epoch = static_cast<double>(epoch),
          .train_loss = train_loss,
          .val_loss = val_loss,
          .train_batch_iou = train_batch_iou,
          .val_batch_iou = val_batch_iou};
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
          {"val_pixel_accuracy", val_pixel_accuracy},
          {"collapsed", collapsed},
          {"train_seconds", train_seconds},
          {"val_seconds", val_seconds}};
}

MetricsRow MetricsRow::from_json(const nlohmann::json& json) {
  return {.epoch = json.at("epoch"),
          .steps = json.at("steps"),
          .images = json.at("images"),
          .learning_rate = json.at("learning_rate"),
          .train_loss = json.at("train_loss"),
          .train_batch_iou = json.at("train_batch_iou"),
          .val_loss = json.at("val_loss"),
          .val_batch_iou = json.at("val_batch_iou"),
          .val_batch_iou_thresholded = json.at("val_batch_iou_thresholded"),
          .val_pixel_accuracy = json.at("val_pixel_accuracy"),
          .collapsed = json.at("collapsed"),
          .train_seconds = json.at("train_seconds"),
          .val_seconds = json.at("val_seconds")};
}

std::vector<MetricsRow> read_metrics(const fs::path& run) {
  std::vector<MetricsRow> rows;
  if (!fs::exists(run / kMetrics)) return rows;
  std::istringstream lines(read_file(run / kMetrics));
  for (std::string line; std::getline(lines, line);)
    rows.push_back(MetricsRow::from_json(nlohmann::json::parse(line)));
  return rows;
}

RunFolder RunFolder::create(const fs::path& path) {
  std::error_code error;
  check(!fs::exists(path, error) || (fs::is_directory(path, error) && fs::is_empty(path, error)),
        "{}: the run folder exists and is not empty; choose another --out, or --resume {}",
        path.string(), path.string());
  make_folder(path / "split");
  return RunFolder(path);
}

RunFolder RunFolder::open(const fs::path& path) {
  RunFolder folder(path);
  check(fs::exists(folder.last()),
        "{}: found no last.safetensors; --resume needs the folder of a run that wrote a checkpoint",
        path.string());
  return folder;
}

void RunFolder::write_json(const std::string& name, const nlohmann::json& json) const {
  write_file_atomically(path_ / name, json.dump(2) + "\n");
}

void RunFolder::write_list(const std::string& name, const std::vector<std::string>& lines) const {
  write_file_atomically(path_ / name, fmt::format("{}\n", fmt::join(lines, "\n")));
}

void RunFolder::write_metrics(const std::vector<MetricsRow>& rows,
                              const std::string& loss_label) const {
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
    write_file_atomically(path_ / "curves.svg", learning_curves_svg(curve, loss_label));
}

void RunFolder::log(const std::string& line) const {
  const fs::path file = path_ / "log.txt";
  std::ofstream out(file, std::ios::app);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  out << fmt::format("{:%Y-%m-%d %H:%M:%S} {}\n", now, line) << std::flush;
  check(out.good(), "{}: cannot write; free space or choose another place", file.string());
}

}  // namespace glia
