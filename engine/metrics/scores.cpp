#include "engine/metrics/scores.h"

#include <array>

namespace glia {

namespace {

template <std::optional<double> (Counts::*kScore)() const>
std::optional<double> of_counts(const Case& item) {
  return (item.counts.*kScore)();
}

constexpr std::array<Score, 9> kScores{{
    {"dice", "Dice", of_counts<&Counts::dice>, &Scores::dice},
    {"iou", "IoU", of_counts<&Counts::iou>, &Scores::iou},
    {"precision", "precision", of_counts<&Counts::precision>, &Scores::precision},
    {"sensitivity", "sensitivity", of_counts<&Counts::sensitivity>, &Scores::sensitivity},
    {"specificity", "specificity *", of_counts<&Counts::specificity>, &Scores::specificity},
    {"pixel_accuracy", "pixel accuracy *", of_counts<&Counts::pixel_accuracy>,
     &Scores::pixel_accuracy},
    {"volume_error", "volume error", of_counts<&Counts::volume_error>, &Scores::volume_error},
    {"absolute_volume_error", "|volume error|", of_counts<&Counts::absolute_volume_error>,
     &Scores::absolute_volume_error},
    {"hd95", "HD95", [](const Case& item) { return item.hd95; }, &Scores::hd95},
}};

}  // namespace

std::span<const Score> all_scores() {
  return kScores;
}

}  // namespace glia
