#include "apps/study/sweep_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <sstream>
#include <thread>

#include "apps/study/child_process.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/progress.h"
#include "engine/base/streams.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/sweep/study_files.h"
#include "engine/sweep/study_page.h"

namespace glia {

namespace fs = std::filesystem;
using sweep::State;
using sweep::Trial;

namespace {

constexpr std::chrono::milliseconds kPoll{100};

void write_study(const sweep::Study& study, const fs::path& folder) {
  write_file_atomically(folder / "study.json", study_json(study));
  write_file_atomically(folder / "trials.csv", trials_csv(study));
  write_file_atomically(folder / "report.html", study_html(study));
}

std::int64_t lines_of(const fs::path& file) {
  if (!fs::exists(file)) return 0;
  const std::string text = read_file(file);
  return std::count(text.begin(), text.end(), '\n');
}

/// Epochs trained and to train, of all trials: a bar on a terminal.
class StudyProgress {
 public:
  explicit StudyProgress(const sweep::Study& study) {
    std::int64_t total = 0;
    for (const Trial& trial : study.trials)
      if (trial.state() != State::finished) total += trial.length().epochs;
    if (terminal_draws()) bar_.emplace("epochs", total);
  }
  void show(const Trial& trial) {
    if (bar_) bar_->update(before_ + lines_of(trial.run() / "metrics.jsonl"), {});
  }
  /// A trial is over; its epochs count as done, also those that a failure has left out.
  void close(const Trial& trial) {
    before_ += trial.length().epochs;
    if (bar_) bar_->clear();
  }

 private:
  std::optional<Progress> bar_;
  std::int64_t before_ = 0;
};

ProcessEnd wait_for(const Trial& trial, const std::vector<std::string>& arguments,
                    StudyProgress& progress) {
  std::vector<std::string> command{kThisProgram};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ChildProcess child(command, trial.output());
  bool told = false;
  for (;;) {
    if (const auto end = child.poll()) return *end;
    if (interrupted() && !told) {
      child.send(SIGINT);
      told = true;
    }
    progress.show(trial);
    std::this_thread::sleep_for(kPoll);
  }
}

std::string failure_of(const ProcessEnd& end, const Trial& trial, std::size_t from) {
  std::string text = end.str();
  if (end.signal == SIGKILL) text += ", perhaps for want of memory";
  const std::string message = last_message(trial.output(), from);
  return message.empty() ? text : fmt::format("{}: {}", text, message);
}

void run_trial(Trial& trial, const TrialCommand& command, StudyProgress& progress) {
  try {
    trial.begin();
  } catch (const Error& error) {
    return trial.end(false, error.what());
  }
  std::error_code none;
  const auto before = fs::file_size(trial.output(), none);
  const ProcessEnd end = wait_for(trial, command(trial), progress);
  const bool stopped = end.status == 130 || (interrupted() && end.signal == SIGINT);
  if (end.signal == 0 && end.status == 0)
    trial.end(true, "");
  else
    trial.end(false, stopped ? "" : failure_of(end, trial, none ? 0 : before));
}

std::string result_of(const Trial& trial) {
  if (trial.state() == State::failed) return ", " + trial.failure();
  if (trial.state() != State::finished) return {};
  const MetricsRow& row = trial.rows()[static_cast<std::size_t>(trial.length().epochs) - 1];
  return fmt::format(": epoch {}, {} steps, val loss {:.4f} iou {:.4f}", row.epoch, row.steps,
                     row.val_loss, row.val_batch_iou);
}

}  // namespace

std::string last_message(const fs::path& output, std::size_t from) {
  constexpr std::string_view kError = "glia: ";
  std::istringstream lines(read_file(output).substr(from));
  std::string last, error;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kError)) error = line.substr(kError.size());
    if (!line.empty()) last = line;
  }
  return error.empty() ? last : error;
}

void run_study(sweep::Study& study, const fs::path& folder, const TrialCommand& command) {
  catch_interrupts();
  study.running = true;
  write_study(study, folder);
  StudyProgress progress(study);
  for (std::size_t i = 0; i < study.trials.size() && !interrupted(); ++i) {
    Trial& trial = study.trials[i];
    if (trial.state() == State::finished) continue;
    run_trial(trial, command, progress);
    progress.close(trial);
    print_line(fmt::format("trial {}/{}  {}: {}{}", i + 1, study.trials.size(), study.label(trial),
                           name_of(trial.state()), result_of(trial)));
    write_study(study, folder);
  }
  study.running = false;
  write_study(study, folder);
}

}  // namespace glia
