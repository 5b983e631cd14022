// Shows a training run while it goes on: on the terminal, in the run's log, as the page report.html
// and, if asked for, as TensorBoard's event file.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/terminal/progress.h"
#include "apps/terminal/sparkline.h"
#include "engine/report/run_page.h"
#include "engine/report/tensorboard.h"
#include "engine/train/trainer.h"

namespace glia {

class TrainingReporter {
 public:
  struct Options {
    std::int64_t epochs = 0;
    std::string loss_name;
    BestBy best_by = BestBy::batch_iou;
    nlohmann::ordered_json settings = {}, environment = {};  // for the page
    bool tensorboard = false;
  };

  /// `folder` must outlive the reporter.
  TrainingReporter(const RunFolder& folder, Options options);
  /// The page of a run that ended by an error must not look like one that goes on.
  ~TrainingReporter();
  TrainingReporter(const TrainingReporter&) = delete;
  TrainingReporter& operator=(const TrainingReporter&) = delete;

  /// What the trainer is to be given. The reporter must outlive it.
  TrainEvents events();

  /// Call before the first step, with the epochs that a resumed run has behind it.
  void start(const std::vector<MetricsRow>& history);
  /// Call after the last: the page says so and no longer loads itself again.
  void finish(bool reached_the_end);

  /// A line on the terminal and in the log.
  void say(const std::string& line);
  /// The same, and on the page.
  void warn(const std::string& text);

 private:
  void show(const TrainEvents::Step& step);
  void show(const MetricsRow& row);
  void end(const char* how);
  /// Takes an epoch into the page.
  void add(const MetricsRow& row);
  void write_page();
  void write_events(const MetricsRow& row);

  const RunFolder& folder_;
  std::int64_t epochs_;
  BestBy best_by_;
  std::vector<MetricsRow> rows_;
  RunPage page_;
  bool tensorboard_;
  std::optional<EventFile> event_file_;
  std::optional<Progress> progress_;
  Sparkline losses_;
};

}  // namespace glia
