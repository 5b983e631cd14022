#include "apps/study/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/cores.h"
#include "engine/base/file.h"

namespace glia {

namespace {

ProcessEnd end_of(int status) {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.status = WEXITSTATUS(status)};
}

/// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* words, const ChildStreams& streams, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  use_given_cores();                      // OpenMP may have bound the thread that forked
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  ::dup2(streams.input >= 0 ? streams.input : ::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(streams.output, STDOUT_FILENO);
  ::dup2(streams.errors, STDERR_FILENO);
  ::execvp(words[0], words);
  ::_exit(kNoSuchProgram);
}

}  // namespace

std::string ProcessEnd::str() const {
  if (signal != 0) return fmt::format("ended by signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("exit status {}", status);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const ChildStreams& streams) {
  start(command, streams);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& output) {
  const int file = open_to_append(output);
  try {
    start(command, {.output = file, .errors = file});
  } catch (...) {
    ::close(file);
    throw;
  }
  ::close(file);
}

void ChildProcess::start(const std::vector<std::string>& command, const ChildStreams& streams) {
  std::vector<std::string> words = command;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  const int error = errno;
  if (pid_ == 0) become(pointers.data(), streams, parent);
  check(pid_ > 0, "cannot start a process: {}", std::strerror(error));
  ::setpgid(pid_, pid_);  // the child does it too: whoever comes first
}

ChildProcess::~ChildProcess() {
  if (poll()) return;
  send(SIGTERM);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ProcessEnd> ChildProcess::poll() {
  int status = 0;
  if (!end_ && ::waitpid(pid_, &status, WNOHANG) == pid_) end_ = end_of(status);
  return end_;
}

void ChildProcess::send(int signal) {
  if (!end_) ::kill(-pid_, signal);
}

void end_program(ChildProcess& child, std::chrono::duration<double> mercy) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kPoll{5};
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(mercy);
  child.send(SIGTERM);
  while (!child.poll() && Clock::now() < until) std::this_thread::sleep_for(kPoll);
  if (!child.poll()) child.send(SIGKILL);
  while (!child.poll()) std::this_thread::sleep_for(kPoll);
}

}  // namespace glia
