#include "benchmarks/gpu_kit/program.h"

#include <unistd.h>

#include <thread>

#include "engine/base/file.h"
#include "engine/base/search_path.h"

namespace glia::kit {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPoll = 5ms;

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return {};
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

/// Until the process has ended or `until`.
bool wait(ChildProcess& child, Deadline until) {
  while (!child.poll()) {
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace

std::string Ran::problem() const {
  if (stopped) return "stopped at its time limit";
  if (end.status == kNoSuchProgram && output.empty()) return "no such program";
  const std::string last = last_line(output);
  return last.empty() ? end.str() : end.str() + ": " + last;
}

Ran run(const Command& command, Deadline deadline, const std::filesystem::path& folder,
        Seconds mercy) {
  const std::filesystem::path file = folder / ".output";
  std::error_code none;
  std::filesystem::remove(file, none);
  const auto start = Clock::now();
  Ran ran;
  {
    ChildProcess child(command, file);
    ran.stopped = !wait(child, deadline);
    if (ran.stopped) end_program(child, mercy);
    ran.end = *child.poll();
  }
  ran.seconds = Seconds(Clock::now() - start).count();
  ran.output = read_file(file);
  std::filesystem::remove(file, none);
  return ran;
}

Deadline after(Seconds seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds);
}

Deadline share(Deadline deadline, int parts) {
  const auto now = Clock::now();
  return now + (deadline - now) / parts;
}

std::vector<std::string> find_programs(const std::string& name) {
  std::vector<std::string> found;
  for (const std::string& folder : search_path("PATH")) {
    const std::string file = folder + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) found.push_back(file);
  }
  return found;
}

std::string find_program(const std::string& name) {
  const std::vector<std::string> all = find_programs(name);
  return all.empty() ? std::string() : all.front();
}

}  // namespace glia::kit
