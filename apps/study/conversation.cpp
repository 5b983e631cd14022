#include "apps/study/conversation.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "apps/terminal/interrupt.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::minutes kPatience{10};
constexpr auto kPause = 10ms;

/// One that has ended shows where its answer is waited for.
void send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

Conversation::Conversation(std::vector<std::string> command, std::string name,
                           std::filesystem::path messages)
    : command_(std::move(command)), name_(std::move(name)), messages_(std::move(messages)) {}

Conversation::~Conversation() {
  stop();
}

void Conversation::start() {
  const int errors = messages_.empty() ? STDERR_FILENO : open_to_append(messages_);
  int ends[2] = {-1, -1};
  const auto close_given = [&] {
    if (errors != STDERR_FILENO) ::close(errors);
    if (ends[1] >= 0) ::close(ends[1]);
  };
  try {
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "cannot start {}: {}",
          name_, std::strerror(errno));
    socket_ = ends[0];
    lines_.emplace(socket_);
    child_ = std::make_unique<ChildProcess>(
        command_, ChildStreams{.input = ends[1], .output = ends[1], .errors = errors});
  } catch (...) {
    close_given();
    stop();
    throw;
  }
  close_given();
}

void Conversation::stop() {
  if (socket_ >= 0) ::close(socket_);  // the end of its input ends a program that is not at work
  socket_ = -1;
  if (child_) end_program(*child_);
  child_.reset();
  lines_.reset();
}

nlohmann::json Conversation::ask(const nlohmann::json& question, Deadline deadline) {
  if (!running()) start();
  try {
    send_all(socket_, json_text(question) + "\n");
    return parse_json(read_line(deadline), "the answer of " + name_);
  } catch (...) {
    stop();
    throw;
  }
}

std::string Conversation::read_line(Deadline deadline) {
  std::string line;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    const Lines::Got got = lines_->next(line, std::min(left, 100ms));
    if (got == Lines::Got::line) return line;
    if (got == Lines::Got::end) fail_at_end();
    check(!interrupted(), "interrupted");
    check(Clock::now() < deadline, "{} gave no answer in time", name_);
  }
}

void Conversation::fail_at_end() {
  std::optional<ProcessEnd> how;
  for (int i = 0; i < 500 && !(how = child_->poll()); ++i) std::this_thread::sleep_for(10ms);
  check(how.has_value(), "{} closed its output", name_);
  check(how->status != kNoSuchProgram || how->signal != 0, "{} cannot be started: no program {}",
        name_, command_.front());
  fail("{} {}", name_, how->signal != 0 ? how->str() : "ended with " + how->str());
}

nlohmann::json ask_in_turn(Conversation& program, const nlohmann::json& question) {
  std::this_thread::sleep_for(kPause);
  nlohmann::json answer = program.ask(question, Clock::now() + kPatience);
  std::this_thread::sleep_for(kPause);
  if (answer.is_object() && answer.contains("error"))
    throw Error(json_field<std::string>(answer, "error", "an answer"));
  return answer;
}

}  // namespace glia
