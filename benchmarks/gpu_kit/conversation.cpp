#include "benchmarks/gpu_kit/conversation.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/json.h"

namespace glia::kit {

namespace {

/// Ends of pipes that no other child gets.
std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC) == 0, "cannot make a pipe: {}", std::strerror(errno));
  return ends;
}

void write_all(int file, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, "{}: has ended", name);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Conversation::Conversation(const Command& command, const std::filesystem::path& messages)
    : command_(command),
      messages_(messages),
      name_(std::filesystem::path(command.front()).filename().string()) {
  ::signal(SIGPIPE, SIG_IGN);  // a program that has ended is an error of the next question
  start();
}

void Conversation::start() {
  const int errors = ::open(messages_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  check(errors >= 0, "{}: cannot write: {}", messages_.string(), std::strerror(errno));
  const auto questions = make_pipe(), answers = make_pipe();
  to_ = questions[1];
  from_ = answers[0];
  lines_.emplace(from_);
  child_ = std::make_unique<ChildProcess>(
      command_, ChildStreams{.input = questions[0], .output = answers[1], .errors = errors});
  for (const int file : {questions[0], answers[1], errors}) ::close(file);
}

Conversation::~Conversation() {
  stop();
}

void Conversation::stop() {
  if (!child_) return;
  ::close(to_);  // the end of its input ends a program that is not at work
  ::close(from_);
  end_program(*child_);
  child_.reset();
  lines_.reset();
}

void Conversation::restart() {
  stop();
  start();
}

nlohmann::json Conversation::ask(const nlohmann::json& question, Deadline deadline) {
  check(running(), "{}: has ended", name_);
  try {
    write_all(to_, json_text(question) + "\n", name_);
    return parse_json(read_line(deadline), name_);
  } catch (...) {
    stop();
    throw;
  }
}

std::string Conversation::read_line(Deadline deadline) {
  std::string line;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    switch (lines_->next(line, left)) {
      case Lines::Got::line: return line;
      case Lines::Got::end: fail("{}: has ended without an answer", name_);
      case Lines::Got::nothing:
        check(std::chrono::steady_clock::now() < deadline, "{}: no answer in time", name_);
    }
  }
}

}  // namespace glia::kit
