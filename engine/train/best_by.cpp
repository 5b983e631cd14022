#include "engine/train/best_by.h"

#include <fmt/ranges.h>

#include <array>

#include "engine/base/check.h"

namespace glia {

namespace {

struct Choice {
  BestBy by;
  const char *name, *words;
};
constexpr std::array kChoices = {
    Choice{BestBy::batch_iou, "batch-iou", "batch IoU"},
    Choice{BestBy::batch_iou_thresholded, "batch-iou-thresholded", "thresholded batch IoU"},
    Choice{BestBy::batch_dice_thresholded, "batch-dice-thresholded", "thresholded batch Dice"},
    Choice{BestBy::loss, "loss", "loss"}};

const Choice& choice_of(BestBy by) {
  return kChoices[static_cast<std::size_t>(by)];
}

}  // namespace

std::vector<std::string> best_by_names() {
  std::vector<std::string> names;
  for (const Choice& choice : kChoices) names.emplace_back(choice.name);
  return names;
}

BestBy parse_best_by(std::string_view text) {
  for (const Choice& choice : kChoices)
    if (text == choice.name) return choice.by;
  fail("--best-by: found '{}', expected one of {}", text, fmt::join(best_by_names(), ", "));
}

const char* name_of(BestBy by) {
  return choice_of(by).name;
}

double figure_of(const MetricsRow& row, BestBy by) {
  switch (by) {
    case BestBy::batch_iou: return row.val_batch_iou;
    case BestBy::batch_iou_thresholded: return row.val_batch_iou_thresholded;
    case BestBy::batch_dice_thresholded: return row.val_batch_dice_thresholded;
    case BestBy::loss: return row.val_loss;
  }
  return 0;
}

bool is_better(double a, double b, BestBy by) {
  return by == BestBy::loss ? a < b : a > b;
}

const MetricsRow* best_row(const std::vector<MetricsRow>& rows, BestBy by) {
  const MetricsRow* best = nullptr;
  for (const MetricsRow& row : rows)
    if (best == nullptr || is_better(figure_of(row, by), figure_of(*best, by), by)) best = &row;
  return best;
}

std::optional<BestEpoch> best_epoch(const std::vector<MetricsRow>& rows, BestBy by) {
  const MetricsRow* best = best_row(rows, by);
  if (best == nullptr) return std::nullopt;
  return BestEpoch{.epoch = static_cast<double>(best->epoch),
                   .figure = fmt::format("{} {:.3f}", choice_of(by).words, figure_of(*best, by))};
}

}  // namespace glia
