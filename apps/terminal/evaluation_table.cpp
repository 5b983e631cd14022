#include "apps/terminal/evaluation_table.h"

#include <fmt/format.h>

namespace glia {

namespace {

std::string text(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

std::string text(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.3f} to {:.3f}", interval->low, interval->high) : "-";
}

std::string scores_table(const Summary& summary) {
  constexpr const char* kRow = "{:<16}{:>10}{:>6}{:>12}{:>6}{:>17}{:>12}\n";
  std::string table = fmt::format(fmt::runtime(kRow), "", "per slice", "n", "per patient", "n",
                                  "95 % interval", "all pixels");
  for (const Score& score : all_scores()) {
    const Average& slice = summary.per_slice.*score.average;
    const Average& patient = summary.per_patient.*score.average;
    const Average& pooled = summary.pooled.*score.average;
    const bool distance = score.average == &Scores::hd95;
    const std::string label =
        distance ? fmt::format("{} ({})", score.label, summary.distance_unit) : score.label;
    table +=
        fmt::format(fmt::runtime(kRow), label, text(slice.mean), slice.defined, text(patient.mean),
                    patient.defined, text(patient.interval), text(pooled.mean));
  }
  table += "n: units with a defined score. *: trivially high, most pixels are background\n";
  table += summary.per_patient.dice.interval
               ? "95 % interval: of the mean over patients, by bootstrap over patients\n"
               : "95 % interval: needs at least two patients, and the patient of every slice\n";
  return table;
}

}  // namespace

std::string format_table(const Summary& summary) {
  std::string table = scores_table(summary);
  table += fmt::format("batch IoU         {:>10}  over probabilities, smooth 1; batches: {}\n",
                       text(summary.batch_iou), summary.batches);
  table += fmt::format("                  {:>10}  the same, thresholded\n",
                       text(summary.batch_iou_thresholded));
  table += fmt::format("batch Dice        {:>10}  thresholded, smooth 1\n",
                       text(summary.batch_dice_thresholded));
  const bool known = summary.patients > 0 || summary.slices == 0;
  table += fmt::format("slices            {:>10}  of {} patients\n", summary.slices,
                       known ? fmt::format("{}", summary.patients) : "unknown");
  table += fmt::format("  with tumour     {:>10}  in {} of them nothing was predicted (Dice 0)\n",
                       summary.slices_with_tumour, summary.slices_missed);
  table += fmt::format("  without tumour  {:>10}  in {} of them something was predicted (Dice 0)\n",
                       summary.slices_without_tumour, summary.slices_false_positive);
  table += fmt::format("  false positives {:>10}  their share of the slices without tumour\n",
                       text(summary.false_positive_rate.mean));
  table += fmt::format("  both empty      {:>10}  Dice and IoU undefined, left out of the means\n",
                       summary.slices_both_empty);
  if (summary.slices_of_unknown_patient > 0) {
    table += fmt::format("  patient unknown {:>10}  left out of the per-patient column\n",
                         summary.slices_of_unknown_patient);
  }
  return table;
}

std::string format_details(const ThresholdCurve& thresholds, const Calibration& calibration) {
  std::string lines;
  if (const auto best = thresholds.best()) {
    lines += fmt::format(
        "best threshold    {:>10.2f}  Dice per patient {}, per slice {},\n"
        "{:>30}all pixels {};\n{:>30}choose it on validation, report it on test\n",
        best->threshold, text(best->per_patient), text(best->per_slice), "", text(best->pooled),
        "");
  }
  if (const auto error = calibration.expected_error()) {
    lines +=
        fmt::format("calibration error {:>10.4f}  over all pixels; {} from probability 0.1 on\n",
                    *error, text(calibration.expected_error_above_lowest()));
  }
  return lines;
}

}  // namespace glia
