#include "tests/cli/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "tests/temp_folder.h"

namespace glia {

namespace {

/// Starts a program with both output streams going to `output`.
pid_t start(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  check(pid >= 0, "the test cannot fork");
  if (pid != 0) return pid;
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> glia_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {GLIA_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome run(const std::vector<std::string>& command, int signal,
            const std::function<bool()>& ready) {
  const TempFolder folder;
  const auto output = folder.path() / "output";
  const pid_t pid = start(command, output);
  int status = 0;
  bool sent = signal == 0;
  while (::waitpid(pid, &status, sent ? 0 : WNOHANG) != pid) {
    if (!sent && ready()) {
      ::kill(pid, signal);
      sent = true;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  return {code_of(status), read_file(output)};
}

}  // namespace

Outcome run_glia(const std::vector<std::string>& arguments) {
  return run(glia_command(arguments), 0, [] { return false; });
}

Outcome signal_glia(const std::vector<std::string>& arguments, int signal,
                    const std::function<bool()>& ready) {
  return run(glia_command(arguments), signal, ready);
}

Outcome run_shell(const std::string& line) {
  ::setenv("GLIA", GLIA_PROGRAM, 1);
  return run({"/bin/sh", "-c", line}, 0, [] { return false; });
}

}  // namespace glia
