#include "benchmarks/gpu_kit/conversation.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
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
  pending_.clear();
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
  for (;;) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wanted{.fd = from_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    check(ready > 0, "{}: no answer in time", name_);
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(from_, bytes.data(), bytes.size());
    check(count > 0, "{}: has ended without an answer", name_);
    pending_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace glia::kit
