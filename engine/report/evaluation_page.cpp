#include "engine/report/evaluation_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/report/evaluation_charts.h"

namespace glia {

namespace {

std::string span(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.3f} to {:.3f}", interval->low, interval->high) : "-";
}

std::string label_of(const Score& score, const Summary& summary) {
  if (score.average != &Scores::hd95) return score.label;
  return fmt::format("{} ({})", score.label, summary.distance_unit);
}

Table scores_table(const Summary& summary) {
  Table table{.head = {"score", "per patient", "95 % interval", "n", "per slice", "95 % interval",
                       "n", "all pixels", "95 % interval"},
              .rows = {}};
  for (const Score& score : all_scores()) {
    const Average& patient = summary.per_patient.*score.average;
    const Average& slice = summary.per_slice.*score.average;
    const Average& pooled = summary.pooled.*score.average;
    table.rows.push_back({label_of(score, summary), cell(patient.mean), span(patient.interval),
                          std::to_string(patient.defined), cell(slice.mean), span(slice.interval),
                          std::to_string(slice.defined), cell(pooled.mean), span(pooled.interval)});
  }
  return table;
}

Table counts_table(const Summary& s) {
  Table table{.head = {"slices", "meaning", "number"}, .rows = {}, .text_columns = 2};
  const auto add = [&](const char* name, const std::string& meaning, std::int64_t number) {
    table.rows.push_back({name, meaning, std::to_string(number)});
  };
  add("all", fmt::format("of {} patients", s.patients), s.slices);
  if (s.slices_of_unknown_patient > 0)
    add("of unknown patient", "left out of the averages per patient", s.slices_of_unknown_patient);
  add("with tumour", "", s.slices_with_tumour);
  add("missed", "with tumour, nothing predicted: Dice and IoU are 0", s.slices_missed);
  add("without tumour", "", s.slices_without_tumour);
  add("false positive", "without tumour, something predicted: Dice and IoU are 0",
      s.slices_false_positive);
  add("both empty", "nothing there, nothing predicted: Dice and IoU are undefined, left out",
      s.slices_both_empty);
  return table;
}

/// Every case with its scores; `second` is the column after the name.
template <class Second>
Table cases_table(std::span<const Case> cases, const Summary& summary, const char* first,
                  const char* second_name, Second&& second) {
  Table table{.head = {first, second_name}, .rows = {}, .text_columns = 2};
  for (const Score& score : all_scores()) table.head.push_back(label_of(score, summary));
  for (const Case& item : cases) {
    std::vector<std::string> row = {item.id, second(item)};
    for (const Score& score : all_scores()) row.push_back(cell(score.of(item), 3));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table bins_table(const Calibration& calibration) {
  Table table{.head = {"bin", "pixels", "mean probability", "share of tumour"}, .rows = {}};
  int b = 0;
  for (const Calibration::Bin& bin : calibration.bins()) {
    table.rows.push_back({fmt::format("{:.1f} to {:.1f}", b / 10.0, (b + 1) / 10.0),
                          std::to_string(bin.pixels), cell(bin.mean_probability()),
                          cell(bin.tumour_share())});
    ++b;
  }
  return table;
}

void add_scores(Page& page, const EvaluationPage& e) {
  const Summary& s = e.summary;
  page.heading("Scores");
  page.table(scores_table(s));
  page.text(
      "Per patient: a patient's slices are pooled, then every patient counts the same; the figure "
      "to quote. Per slice: every slice counts the same. All pixels: the whole set as one. n: "
      "units for which a score is defined. HD95 is measured within slices; per patient it is the "
      "mean over the patient's slices. * trivially high: most pixels are background.");
  page.text(s.per_patient.dice.interval
                ? "Intervals: percentile bootstrap over patients, each drawn with all its slices."
                : "No intervals: they need at least two patients, and the patient of every slice.");
  page.text(fmt::format(
      "Batch IoU, the figure that training shows: {} over probabilities, {} thresholded; batch "
      "Dice "
      "{} thresholded. Smooth 1, mean over {} batches. They depend on the batch size.",
      cell(s.batch_iou), cell(s.batch_iou_thresholded), cell(s.batch_dice_thresholded), s.batches));
  page.table(counts_table(s));
  if (s.false_positive_rate.mean)
    page.text(
        fmt::format("False-positive rate, over the slices without tumour: {} (95 % interval {}).",
                    cell(s.false_positive_rate.mean), span(s.false_positive_rate.interval)));
}

void add_charts(Page& page, const EvaluationPage& e) {
  page.heading("Distribution");
  std::vector<LineChart> distribution;
  const auto patients = e.evaluation.patients();
  if (!patients.empty()) distribution.push_back(dice_chart(patients, "patient"));
  distribution.push_back(dice_chart(e.evaluation.slices(), "slice"));
  page.chart(to_svg(distribution));
  page.heading("Threshold and reliability");
  page.chart(to_svg(
      std::array{threshold_chart(e.thresholds, e.threshold), reliability_chart(e.calibration)}));
  if (const auto best = e.thresholds.best())
    page.text(fmt::format(
        "The best Dice {} lies at the threshold {:.2f}: {}. It was found on these very slices, so "
        "choose a threshold on validation slices and report its Dice on others. Steps on the mask "
        "are not part of this curve.",
        best->per_patient ? "per patient" : "per slice", best->threshold,
        cell(best->per_patient ? best->per_patient : best->per_slice)));
  page.text(fmt::format(
      "On the dotted diagonal, probabilities mean what they say; below it the network is too sure. "
      "Expected calibration error: {} over all pixels (trivially low, most are background), {} "
      "over those with a probability of 0.1 or more. Brier score: {}.",
      cell(e.calibration.expected_error()), cell(e.calibration.expected_error_above_lowest()),
      cell(e.calibration.brier())));
  page.table(bins_table(e.calibration));
}

void add_cases(Page& page, const EvaluationPage& e) {
  for (const auto& [heading, text, figures] : e.cases) {
    if (figures.empty()) continue;
    page.heading(heading);
    if (!text.empty()) page.text(text);
    page.figures(figures);
  }
  const auto patients = e.evaluation.patients();
  if (!patients.empty()) {
    page.heading("Every patient");
    page.table(cases_table(patients, e.summary, "patient", "slices",
                           [](const Case& item) { return std::to_string(item.slices); }));
  }
  page.heading("Every slice");
  page.table(cases_table(e.evaluation.slices(), e.summary, "slice", "patient",
                         [](const Case& item) { return item.patient; }));
}

void add_limits(Page& page) {
  page.heading("What this does not say");
  page.list(std::array<std::string, 4>{
      "Glia is for teaching and research. It is not a medical device, and nothing here says that "
      "it is fit for diagnosis.",
      "The figures hold for slices like these: the same kind of scanner, sequence, preparation and "
      "patient. The intervals cover the choice of patients, not a change of any of that, nor "
      "another training run.",
      "Each slice is scored by itself. HD95 is a distance within a slice, not through the volume.",
      "The truth is what somebody drew; where people disagree, no score can reach 1."});
}

}  // namespace

std::string EvaluationPage::html() const {
  Page page(title);
  for (const std::string& text : warnings) page.warning(text);
  add_scores(page, *this);
  for (const auto& [heading, text, table] : more_tables) {
    page.heading(heading);
    if (!text.empty()) page.text(text);
    page.table(table);
  }
  add_charts(page, *this);
  add_cases(page, *this);
  if (!training_curves.empty()) {
    page.heading("How it was trained");
    page.chart(training_curves);
  }
  for (const auto& [heading, text, settings] : provenance) {
    page.heading(heading);
    if (!text.empty()) page.text(text);
    page.table(settings_table(settings));
  }
  add_limits(page);
  return page.html();
}

}  // namespace glia
