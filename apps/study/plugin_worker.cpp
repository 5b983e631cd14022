#include "apps/study/plugin_worker.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "apps/study/plugin_messages.h"
#include "engine/base/check.h"

namespace glia {

namespace {

using Json = nlohmann::json;

/// The command line of this process, for a library that --plugin may not name.
std::vector<std::string> own_command(const std::string& library) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  words.front() = kThisProgram;
  words.insert(words.end(), {"--plugin-worker", library});
  return words;
}

}  // namespace

PluginWorker::PluginWorker(std::string name, std::size_t variant, const std::string& library)
    : name_(std::move(name)),
      variant_(variant),
      worker_(own_command(library), "the plugin's process") {}

void PluginWorker::choose_row(const bench::Call&, std::size_t row) {
  row_ = row;
}

Json PluginWorker::ask(const char* what, std::size_t number) {
  return ask_in_turn(worker_, {{"variant", variant_}, {"do", what}, {"number", number}});
}

bench::Measurement PluginWorker::prepare() {
  bench::Measurement prepared = measurement_of(ask("row", row_));
  prepared.backend = name_;
  return prepared;
}

bench::Timing PluginWorker::sample() {
  return timing_of(ask("sample", 0));
}

namespace {

/// Turns that another process takes.
class DistantSteps : public bench::StepTurns {
 public:
  DistantSteps(std::function<Json(const char*)> ask, bench::StepMeasurement prepared)
      : ask_(std::move(ask)), prepared_(std::move(prepared)) {}

  bench::Timing sample() override { return timing_of(ask_("step sample")); }
  bench::StepMeasurement prepared() const override { return prepared_; }
  std::size_t peak_bytes() const override { return ask_("step peak").at("peak_bytes"); }

 private:
  std::function<Json(const char*)> ask_;
  bench::StepMeasurement prepared_;
};

}  // namespace

std::unique_ptr<bench::StepTurns> PluginWorker::prepare_steps(const bench::RecordedStep&,
                                                              bool captured) {
  const Json prepared = ask(captured ? "captured steps" : "steps", step_);
  if (prepared.is_null()) return nullptr;
  return std::make_unique<DistantSteps>([this](const char* what) { return ask(what, step_); },
                                        step_of(prepared, name_));
}

void answer_questions(const WorkerTasks& tasks) {
  const int out = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  std::optional<bench::OpenBackend> backend;
  std::unique_ptr<bench::CallTurns> turns;
  std::unique_ptr<bench::StepTurns> steps;
  char* line = nullptr;
  std::size_t room = 0;
  while (::getline(&line, &room, stdin) > 0) {
    Json answer;
    try {
      const Json question = Json::parse(line);
      const std::string what = question.at("do");
      const std::size_t variant = question.at("variant"), number = question.at("number");
      if ((what == "row" || what == "sample") && !backend) backend.emplace(tasks.open(variant));
      if (what == "row") {
        turns.reset();
        turns = bench::prepare_turns(tasks.row(number), *backend, tasks.options);
        answer = to_message(turns->prepared());
      } else if (what == "sample") {
        check(turns != nullptr, "no row was chosen");
        answer = to_message(turns->sample());
      } else if (what == "step sample") {
        check(steps != nullptr, "no steps were chosen");
        answer = to_message(steps->sample());
      } else if (what == "step peak") {
        check(steps != nullptr, "no steps were chosen");
        answer = {{"peak_bytes", steps->peak_bytes()}};
        steps.reset();  // and its memory
      } else {
        steps.reset();
        steps = tasks.steps(variant, number, what == "captured steps");
        answer = steps ? to_message(steps->prepared()) : Json();
      }
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    const std::string said = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    for (std::size_t done = 0; done < said.size();) {
      const ssize_t count = ::write(out, said.data() + done, said.size() - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
  }
  std::free(line);
}

}  // namespace glia
