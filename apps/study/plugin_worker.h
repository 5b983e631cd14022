// The kernels of --plugin as glia bench measures them: in a process of their own, so that their
// crash is a problem of their row and every other row is measured all the same. Both ends of it.
// The other process is this program with the same flags, so it finds the same rows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/study/conversation.h"
#include "benchmarks/suite/measure.h"

namespace glia {

/// The asking end. A process is started with the first question, and again after a crash.
class PluginWorker : public bench::RemoteBackend, public bench::RemoteSteps {
 public:
  /// Asks for the `variant`-th of the plugin's, which is that library.
  PluginWorker(std::string name, std::size_t variant, const std::string& library);

  void choose_row(const bench::Call& call, std::size_t row) override;
  const std::string& name() const override { return name_; }
  bench::Measurement prepare() override;
  bench::Timing sample() override;
  /// Which of the steps that both processes have `prepare_steps` is for, from 0.
  void choose_steps(std::size_t step) { step_ = step; }
  std::unique_ptr<bench::StepTurns> prepare_steps(const bench::RecordedStep& step,
                                                  bool captured) override;

 private:
  nlohmann::json ask(const char* what, std::size_t number);

  std::string name_;
  std::size_t variant_, row_ = 0, step_ = 0;
  Conversation worker_;
};

/// What the answering end can be asked for.
struct WorkerTasks {
  std::function<bench::OpenBackend(std::size_t variant)> open;
  std::function<const bench::Call&(std::size_t row)> row;
  /// Null where that mode is not for it.
  std::function<std::unique_ptr<bench::StepTurns>(std::size_t variant, std::size_t step,
                                                  bool captured)>
      steps;
  bench::MeasureOptions options;
};

/// Answers questions on standard input until there are no more. What the plugin prints goes to
/// standard error.
void answer_questions(const WorkerTasks& tasks);

}  // namespace glia
