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

}  // namespace

std::string learning_curves_svg(std::span<const EpochRow> rows, const std::string& loss_name,
                                const std::optional<BestEpoch>& best) {
  const LineChart loss{.title = "Loss",
                       .x_label = "epoch",
                       .y_label = loss_name,
                       .series = {curve(rows, "training", &EpochRow::train_loss),
                                  curve(rows, "validation", &EpochRow::val_loss)},
                       .whole_x = true};
  const LineChart overlap{
      .title = best ? fmt::format("Best epoch {:.0f}: {}", best->epoch, best->figure)
                    : std::string("Batch IoU and Dice"),
      .x_label = "epoch",
      .y_label = "batch IoU, and Dice at 0.5 (0 to 1)",
      .series = {curve(rows, "training", &EpochRow::train_batch_iou),
                 curve(rows, "validation", &EpochRow::val_batch_iou),
                 curve(rows, "at 0.5", &EpochRow::val_batch_iou_thresholded),
                 curve(rows, "Dice", &EpochRow::val_batch_dice_thresholded)},
      .y_range = std::pair{0.0, 1.0},
      .whole_x = true,
      .mark_x = best ? std::optional(best->epoch) : std::nullopt};
  return to_svg(std::array{loss, overlap});
}

}  // namespace glia
