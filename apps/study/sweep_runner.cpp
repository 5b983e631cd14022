#include "apps/study/sweep_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

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

/// A trial that trains.
struct Job {
  std::size_t number;  // of the trial in the study
  Trial& trial;
  std::uintmax_t before;  // bytes of its output from earlier attempts
  std::unique_ptr<ChildProcess> child;
};

/// Epochs trained and to train, of all trials: a bar on a terminal.
class StudyProgress {
 public:
  explicit StudyProgress(const sweep::Study& study) {
    std::int64_t total = 0;
    for (const Trial& trial : study.trials)
      if (trial.state() != State::finished) total += trial.length().epochs;
    if (terminal_draws()) bar_.emplace("epochs", total);
  }
  void show(const std::vector<std::optional<Job>>& jobs) {
    if (!bar_) return;
    std::int64_t epochs = before_;
    for (const std::optional<Job>& job : jobs)
      if (job) epochs += lines_of(job->trial.run() / "metrics.jsonl");
    bar_->update(epochs, {});
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

std::string failure_of(const ProcessEnd& end, const Trial& trial, std::size_t from) {
  std::string text = end.str();
  if (end.signal == SIGKILL) text += ", perhaps for want of memory";
  const std::string message = last_message(trial.output(), from);
  return message.empty() ? text : fmt::format("{}: {}", text, message);
}

std::string result_of(const Trial& trial) {
  if (trial.state() == State::failed) return ", " + trial.failure();
  if (trial.state() != State::finished) return {};
  const MetricsRow& row = trial.rows()[static_cast<std::size_t>(trial.length().epochs) - 1];
  return fmt::format(": epoch {}, {} steps, val loss {:.4f} iou {:.4f}", row.epoch, row.steps,
                     row.val_loss, row.val_batch_iou);
}

class StudyRun {
 public:
  StudyRun(sweep::Study& study, const fs::path& folder, std::size_t jobs,
           const TrialCommand& command)
      : study_(study), folder_(folder), command_(command), progress_(study), jobs_(jobs) {}

  void run() {
    write_study(study_, folder_);
    for (;;) {
      for (std::size_t i = 0; i < jobs_.size(); ++i) {
        if (jobs_[i]) look_at(jobs_[i]);
        while (!jobs_[i] && next_ < study_.trials.size() && !interrupted()) start(i);
      }
      if (std::none_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job.has_value(); }))
        return;
      progress_.show(jobs_);
      pass_on_interrupt();
      std::this_thread::sleep_for(kPoll);
    }
  }

 private:
  /// The next trial that is not finished, if it can begin.
  void start(std::size_t job) {
    const std::size_t number = next_++;
    Trial& trial = study_.trials[number];
    if (trial.state() == State::finished) return;
    try {
      trial.begin();
      std::error_code none;
      const auto before = fs::file_size(trial.output(), none);
      std::vector<std::string> command{kThisProgram};
      for (std::string& word : command_(trial, job)) command.push_back(std::move(word));
      jobs_[job].emplace(Job{number, trial, none ? 0 : before,
                             std::make_unique<ChildProcess>(command, trial.output())});
    } catch (const Error& error) {
      trial.end(false, error.what());
      tell(number);
    }
  }

  void look_at(std::optional<Job>& job) {
    const auto end = job->child->poll();
    if (!end) return;
    const bool stopped = end->status == 130 || (interrupted() && end->signal == SIGINT);
    if (end->signal == 0 && end->status == 0)
      job->trial.end(true, "");
    else
      job->trial.end(false, stopped ? "" : failure_of(*end, job->trial, job->before));
    const std::size_t number = job->number;
    job.reset();
    tell(number);
  }

  void pass_on_interrupt() {
    if (told_ || !interrupted()) return;
    told_ = true;
    for (const std::optional<Job>& job : jobs_)
      if (job) job->child->send(SIGINT);
  }

  void tell(std::size_t number) {
    const Trial& trial = study_.trials[number];
    progress_.close(trial);
    print_line(fmt::format("trial {}/{}  {}: {}{}", number + 1, study_.trials.size(),
                           study_.label(trial), name_of(trial.state()), result_of(trial)));
    write_study(study_, folder_);
  }

  sweep::Study& study_;
  const fs::path& folder_;
  const TrialCommand& command_;
  StudyProgress progress_;
  std::vector<std::optional<Job>> jobs_;
  std::size_t next_ = 0;  // trial to begin
  bool told_ = false;     // the jobs, that they shall stop
};

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

void run_study(sweep::Study& study, const fs::path& folder, std::size_t jobs,
               const TrialCommand& command) {
  catch_interrupts();
  study.running = true;
  StudyRun(study, folder, jobs, command).run();
  study.running = false;
  write_study(study, folder);
}

}  // namespace glia
