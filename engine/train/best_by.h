// Which epoch of a run is its best one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/curves.h"
#include "engine/train/run_folder.h"

namespace glia {

/// The validation figure by which epochs are compared: the batch IoU over probabilities (the
/// seed's), the batch IoU or Dice of the thresholded prediction, or the loss, of which less is
/// better.
enum class BestBy : std::uint8_t { batch_iou, batch_iou_thresholded, batch_dice_thresholded, loss };

/// What --best-by takes.
std::vector<std::string> best_by_names();
/// Throws `Error` listing them.
BestBy parse_best_by(std::string_view text);
const char* name_of(BestBy by);

double figure_of(const MetricsRow& row, BestBy by);
/// Whether figure `a` is better than `b`.
bool is_better(double a, double b, BestBy by);

/// The first of the best epochs; null without epochs.
const MetricsRow* best_row(const std::vector<MetricsRow>& rows, BestBy by);
/// The same, as the curves name it; nothing without epochs.
std::optional<BestEpoch> best_epoch(const std::vector<MetricsRow>& rows, BestBy by);

}  // namespace glia
