#include "apps/study/plugin_worker.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "apps/study/plugin_messages.h"
#include "apps/terminal/interrupt.h"
#include "engine/base/check.h"

namespace glia {

namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr std::chrono::minutes kPatience{10};
/// OpenMP's threads wait actively for a while after their work; the other process is then alone.
constexpr auto kPause = 10ms;

/// The command line of this process.
std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  words.front() = kThisProgram;
  return words;
}

/// A number after a word of a question, such as "row 3".
std::size_t number_in(const std::string& question) {
  return std::stoul(question.substr(question.rfind(' ') + 1));
}

}  // namespace

PluginWorker::PluginWorker(std::string name, std::size_t variant)
    : name_(std::move(name)), variant_(variant) {}

PluginWorker::~PluginWorker() {
  stop();
}

void PluginWorker::stop() {
  if (socket_ >= 0) ::close(socket_);  // without a question left it ends by itself
  socket_ = -1;
  process_.reset();
  lines_.reset();
}

void PluginWorker::start() {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0,
        "cannot start a process for --plugin: {}", std::strerror(errno));
  socket_ = ends[0];
  lines_ = std::make_unique<Lines>(socket_);
  std::vector<std::string> command = own_command();
  command.emplace_back("--plugin-worker");
  try {
    process_ = std::make_unique<ChildProcess>(
        command, ChildStreams{.input = ends[1], .output = ends[1], .errors = STDERR_FILENO});
  } catch (...) {
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
}

void PluginWorker::give_up(const std::string& why) {
  stop();
  fail("{}", why);
}

std::string PluginWorker::receive() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::string line;
  while (true) {
    const Lines::Got got = lines_->next(line, 100ms);
    if (got == Lines::Got::line) return line;
    if (got == Lines::Got::end) break;
    if (interrupted()) give_up("interrupted");
    if (std::chrono::steady_clock::now() < end) continue;
    process_->send(SIGKILL);
    give_up(fmt::format("the plugin gave no answer for {} minutes", kPatience.count()));
  }
  std::optional<ProcessEnd> how;
  for (int i = 0; i < 500 && !(how = process_->poll()); ++i) std::this_thread::sleep_for(10ms);
  give_up("the plugin's process " + (!how               ? "closed its output"
                                     : how->signal != 0 ? how->str()
                                                        : "ended with " + how->str()));
}

std::string PluginWorker::ask(const std::string& question) {
  if (!process_) start();
  const std::string line = fmt::format("{} {}\n", variant_, question);
  std::this_thread::sleep_for(kPause);
  // One that has ended shows where its answer is waited for.
  static_cast<void>(::send(socket_, line.data(), line.size(), MSG_NOSIGNAL));
  std::string answer = receive();
  std::this_thread::sleep_for(kPause);
  return answer;
}

bench::Measurement PluginWorker::prepare() {
  bench::Measurement prepared = measurement_of(answer_of(ask(fmt::format("row {}", row_))));
  prepared.backend = name_;
  return prepared;
}

bench::Timing PluginWorker::sample() {
  return timing_of(answer_of(ask("sample 0")));
}

std::vector<bench::StepMeasurement> PluginWorker::steps(std::size_t step) {
  try {
    return steps_of(answer_of(ask(fmt::format("step {}", step))), name_);
  } catch (const Error& error) {
    return {{.backend = name_, .mode = "eager", .problem = error.what()}};
  }
}

void answer_questions(const WorkerTasks& tasks) {
  const int out = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  std::optional<bench::OpenBackend> backend;
  std::unique_ptr<bench::CallTurns> turns;
  char* line = nullptr;
  std::size_t room = 0;
  while (::getline(&line, &room, stdin) > 0) {
    const std::string text(line, std::strcspn(line, "\n"));
    const std::size_t variant = std::stoul(text);
    const std::string question = text.substr(text.find(' ') + 1);
    Json answer;
    try {
      if (!question.starts_with("step") && !backend) backend.emplace(tasks.open(variant));
      if (question.starts_with("row")) {
        turns.reset();
        turns = bench::prepare_turns(tasks.row(number_in(question)), *backend, tasks.options);
        answer = to_message(turns->prepared());
      } else if (question.starts_with("sample")) {
        check(turns != nullptr, "no row was chosen");
        answer = to_message(turns->sample());
      } else {
        answer = to_message(tasks.steps(variant, number_in(question)));
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
