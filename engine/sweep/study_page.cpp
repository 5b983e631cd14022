#include "engine/sweep/study_page.h"

#include <fmt/format.h>

#include <array>

#include "engine/report/page.h"
#include "engine/sweep/published.h"
#include "engine/sweep/study_charts.h"

namespace glia::sweep {

namespace {

constexpr int kReload = 15;  // seconds

std::string state_line(const Study& study) {
  std::string text =
      fmt::format("{}: {} of {} trials finished", study.running ? "Running" : "Ended",
                  study.count(State::finished), study.trials.size());
  for (const State state : {State::failed, State::unfinished, State::waiting})
    if (const auto count = study.count(state); count > 0)
      text += fmt::format(", {} {}", count, name_of(state));
  return text + ".";
}

std::string how_matched(const Study& study) {
  switch (study.match) {
    case Match::epochs:
      return "All trials train the same number of epochs, so a larger batch makes fewer optimizer "
             "steps; the tables count them. glia sweep can match steps or images seen instead.";
    case Match::steps:
      return "All trials make the same number of optimizer steps (that of the first batch size), "
             "so a larger batch sees more images. Figures are those of a trial's end.";
    case Match::images:
      return "All trials see the same number of images, up to half a batch (that of the first "
             "batch size), so a larger batch makes fewer optimizer steps. Figures are those of a "
             "trial's end.";
  }
  return {};
}

void add_charts(Page& page, const std::vector<Chart>& charts) {
  for (const Chart& chart : charts) {
    page.chart(chart.svg);
    if (!chart.key.empty()) page.text(chart.key + ".");
  }
}

std::vector<std::string> titles_of(const std::vector<std::size_t>& which) {
  std::vector<std::string> titles;
  for (const std::size_t i : which) titles.emplace_back(settings()[i].title);
  return titles;
}

std::string spread_cell(const Spread& spread) {
  return spread.n > 1 ? fmt::format("{:.4f} ± {:.4f}", spread.mean, spread.deviation)
                      : fmt::format("{:.4f}", spread.mean);
}

/// A row a combination and compared length.
Table means_table(const Study& study, const std::vector<Combination>& combinations) {
  const auto varied = study.grid.varied();
  Table table{.head = titles_of(varied), .rows = {}, .text_columns = varied.size()};
  for (const char* name : {"epoch", "steps", "images", "n", "val_loss", "val_IoU"})
    table.head.emplace_back(name);
  for (const std::int64_t compared : compared_epochs(study))
    for (const Combination& combination : combinations) {
      std::vector<std::string> row;
      for (const std::size_t i : varied) row.push_back(combination.values[i]);
      const auto found = figures_at(combination, compared);
      const Figures figures = found.value_or(Figures{.epoch = compared});
      row.push_back(std::to_string(figures.epoch));
      for (const std::int64_t count : {figures.steps, figures.images})
        row.push_back(found ? std::to_string(count) : "-");
      row.push_back(std::to_string(figures.val_loss.n));
      row.push_back(found ? spread_cell(figures.val_loss) : "-");
      row.push_back(found ? spread_cell(figures.val_iou) : "-");
      table.rows.push_back(std::move(row));
    }
  return table;
}

/// A row a trial, with the figures after its last epoch.
Table trials_table(const Study& study) {
  const auto varied = study.grid.varied();
  Table table{.head = titles_of(varied), .rows = {}, .text_columns = varied.size() + 2};
  for (const char* name : {"seed", "state", "epochs", "steps", "images", "train loss", "val_loss",
                           "val_IoU", "seconds"})
    table.head.emplace_back(name);
  for (const Trial& trial : study.trials) {
    std::vector<std::string> row;
    for (const std::size_t i : varied) row.push_back(trial.point().values[i]);
    row.push_back(std::to_string(trial.point().seed));
    const bool collapsed = !trial.rows().empty() && trial.rows().back().collapsed;
    row.push_back(name_of(trial.state()) + std::string(collapsed ? ", all background" : ""));
    row.push_back(std::to_string(trial.rows().size()));
    if (trial.rows().empty()) {
      row.resize(table.head.size(), "-");
    } else {
      const MetricsRow& last = trial.rows().back();
      double seconds = 0;
      for (const MetricsRow& epoch : trial.rows())
        seconds += epoch.train_seconds + epoch.val_seconds;
      row.push_back(std::to_string(last.steps));
      row.push_back(std::to_string(last.images));
      for (const double value : {last.train_loss, last.val_loss, last.val_batch_iou})
        row.push_back(fmt::format("{:.4f}", value));
      row.push_back(fmt::format("{:.1f}", seconds));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table failures_table(const Study& study) {
  Table table{.head = {"trial", "how it failed"}, .rows = {}, .text_columns = 2};
  for (const Trial& trial : study.trials)
    if (trial.state() == State::failed) table.rows.push_back({study.label(trial), trial.failure()});
  return table;
}

Table published_table() {
  Table table{.head = {"published", "at", "val_loss", "val_IoU"}, .rows = {}, .text_columns = 2};
  const auto add = [&](const char* what, const char* unit, const Published& value) {
    table.rows.push_back({what, fmt::format("{} {}", unit, value.x),
                          fmt::format("{}", value.val_loss), fmt::format("{}", value.val_iou)});
  };
  for (const Published& value : kPublishedByBatch) add("2 epochs", "batch", value);
  for (const Published& value : kPublishedByEpoch) add("batch 6", "epoch", value);
  return table;
}

void add_limits(Page& page) {
  page.heading("What this does not say");
  page.list(std::array<std::string, 5>{
      "The bars show how much the seed matters: weights, order of slices, augmentation, dropout. "
      "They say nothing about other patients or another split, and with two or three seeds a "
      "standard deviation is a rough guess.",
      "val_loss and val_IoU are means over validation batches of the trial's own batch size. They "
      "move with the batch size even for the same network; score checkpoints with glia evaluate to "
      "compare networks.",
      "Figures are those of the weights at an epoch's end, not those of the best epoch.",
      "The validation slices chose between settings, so the best figure flatters. Take the test "
      "list for a final one.",
      "A setting that was best here was best with the others as they were, and at this length."});
  page.text("Glia is for teaching and research. It is not a medical device.");
}

}  // namespace

std::string study_html(const Study& study) {
  Page page(fmt::format("Study “{}”", study.name));
  if (study.running) page.refresh_every(kReload);
  page.text(state_line(study));
  if (const std::string text = leak_warning(study); !text.empty()) page.warning(text);
  if (study.count(State::failed) > 0)
    page.warning(
        "Some trials failed (see below). Means are over the trials that finished, so n "
        "differs, and settings that fail often look better than they are.");
  page.text(
      fmt::format("Points are means over {} seed{}, bars one standard deviation (n - 1 in the "
                  "denominator) to either side; n and the exact figures show when the pointer "
                  "rests on a point. {}",
                  study.grid.seeds, study.grid.seeds == 1 ? "" : "s", how_matched(study)));
  page.warning(kPublishedNote);

  const std::vector<Combination> combinations = combine(study);
  for (const std::size_t setting : study.grid.varied()) {
    page.heading(fmt::format("By {}", settings()[setting].title));
    for (const std::int64_t compared : compared_epochs(study))
      add_charts(page, setting_charts(study, combinations, setting, compared));
  }
  page.heading("As training goes on");
  add_charts(page, curve_charts(study, combinations));
  if (study.match == Match::epochs)
    page.text(
        "All epochs that the trials have are drawn, also those of an earlier, longer study in "
        "this folder.");
  page.heading("Means");
  page.table(means_table(study, combinations));
  page.heading("Published values");
  page.table(published_table());
  page.heading("Trials");
  page.table(trials_table(study));
  if (study.count(State::failed) > 0) {
    page.heading("Failures");
    page.table(failures_table(study));
  }
  page.heading("Where it comes from");
  page.table(settings_table(study.provenance));
  page.heading("Environment");
  page.table(settings_table(study.environment));
  add_limits(page);
  return page.html();
}

}  // namespace glia::sweep
