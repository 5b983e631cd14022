#include "engine/report/curves.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "engine/report/line_chart.h"

namespace glia {

namespace {

/// The curve of one quantity; without points when no row has it, so that training and validation
/// keep their colours in every panel.
Series curve(std::span<const EpochRow> rows, const char* name, double EpochRow::*value) {
  Series series{.name = name};
  bool any = false;
  for (const EpochRow& row : rows) any = any || std::isfinite(row.*value);
  if (!any) return series;
  for (const EpochRow& row : rows) {
    series.x.push_back(row.epoch);
    series.y.push_back(row.*value);
  }
  return series;
}

std::string iou_title(std::span<const EpochRow> rows) {
  const EpochRow* best = nullptr;
  for (const EpochRow& row : rows) {
    if (!std::isfinite(row.val_batch_iou)) continue;
    if (best == nullptr || row.val_batch_iou > best->val_batch_iou) best = &row;
  }
  if (best == nullptr) return "Batch IoU";
  return fmt::format("Batch IoU: best validation {:.3f}, epoch {:.0f}", best->val_batch_iou,
                     best->epoch);
}

}  // namespace

std::string learning_curves_svg(std::span<const EpochRow> rows, const std::string& loss_name) {
  const LineChart loss{.title = "Loss",
                       .x_label = "epoch",
                       .y_label = loss_name,
                       .series = {curve(rows, "training", &EpochRow::train_loss),
                                  curve(rows, "validation", &EpochRow::val_loss)},
                       .whole_x = true};
  const LineChart iou{.title = iou_title(rows),
                      .x_label = "epoch",
                      .y_label = "batch IoU (0 to 1, higher is better)",
                      .series = {curve(rows, "training", &EpochRow::train_batch_iou),
                                 curve(rows, "validation", &EpochRow::val_batch_iou)},
                      .y_range = std::pair{0.0, 1.0},
                      .whole_x = true};
  return to_svg(std::array{loss, iou});
}

}  // namespace glia
