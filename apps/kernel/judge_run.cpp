#include "apps/kernel/judge_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <thread>

#include "apps/study/child_process.h"
#include "apps/study/lines.h"
#include "apps/terminal/interrupt.h"
#include "engine/base/check.h"
#include "glia_kernel_build.h"

namespace glia {

namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr int kMostEnds = 3;
constexpr std::string_view kDeclines = "unsupported: ";

/// The reading end of a pipe whose other end a child writes.
class Pipe {
 public:
  Pipe() { check(::pipe2(ends_, O_CLOEXEC) == 0, "cannot make a pipe"); }
  ~Pipe() {
    ::close(ends_[0]);
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
};

CaseResult started(const Json& line) {
  CaseResult result;
  result.name = line.at("case");
  result.text = line.at("text");
  for (const auto& [name, extent] : line.at("shape").items()) result.shape[name] = extent;
  return result;
}

/// Glia's is what lies in the judging program, and what the user's file includes of ours.
LaunchedKernel launched(const Json& line) {
  LaunchedKernel kernel{.name = line.at("name"), .place = line.at("place")};
  kernel.of_glia = !line.at("own").get<bool>() || kernel.place.starts_with("kernels/cuda/");
  // Where it was built by another path than that of the sources.
  if (const auto at = kernel.place.find("kernels/cuda/"); kernel.of_glia && at != std::string::npos)
    kernel.place.erase(0, at);
  return kernel;
}

/// What a process found, until it ends.
class Reader {
 public:
  explicit Reader(JudgeRun& run) : run_(run) {}

  /// False after the last line.
  bool take(const Json& line) {
    if (line.contains("end")) {
      run_.profile = line.value("profile", "");
      run_.left = line.value("left", 0u);
      run_.other_groups = line.value("other_groups", std::vector<std::string>());
      for (const Json& kernel : line.value("kernels", Json::array()))
        run_.kernels.push_back(launched(kernel));
      return false;
    }
    if (line.contains("case")) {
      running_ = started(line);
      number_ = line.at("number");
    } else if (running_) {
      finish(line);
    }
    return true;
  }
  /// The case in which the process ended fails with it.
  void fail_running(const std::string& why) {
    if (!running_) return;
    running_->failures.push_back(why);
    run_.cases.push_back(*std::exchange(running_, {}));
  }
  bool in_case() const { return running_.has_value(); }
  std::size_t next() const { return number_ + 1; }

 private:
  void finish(const Json& line) {
    CaseResult result = *std::exchange(running_, {});
    if (line.at("calls") == 0) return;
    result.share = std::strtod(line.at("share").get<std::string>().c_str(), nullptr);
    result.not_judged = line.value("not_judged", false);
    result.launched = line.value("launched", std::vector<std::size_t>());
    for (const std::string failure : line.at("failures")) {
      const auto declines = failure.find(kDeclines);
      if (declines == 0 || failure.starts_with("threw: unsupported: "))
        result.declined = failure.substr(declines + kDeclines.size());
      result.failures.push_back(failure);
    }
    if (!result.declined.empty()) result.failures.clear();
    run_.cases.push_back(std::move(result));
  }

  JudgeRun& run_;
  std::optional<CaseResult> running_;
  std::size_t number_ = 0;
};

/// One process, until it ends or is ended; says why, or nothing when it has finished.
std::string run_once(const std::vector<std::string>& command, Reader& reader,
                     const JudgeOptions& options) {
  Pipe pipe;
  ChildProcess process(command, {.output = pipe.writing(), .errors = STDERR_FILENO});
  pipe.close_writing();
  Lines lines(pipe.reading());
  auto since = std::chrono::steady_clock::now();
  std::string line;
  while (true) {
    const Lines::Got got = lines.next(line, 100ms);
    if (got == Lines::Got::line) {
      since = std::chrono::steady_clock::now();
      const Json said = Json::parse(line, nullptr, false);
      if (said.is_object() && !reader.take(said)) return "";  // what kernels print is passed over
    } else if (got == Lines::Got::end) {
      break;
    } else if (interrupted()) {
      throw Error("interrupted");
    } else if (std::chrono::steady_clock::now() - since > options.case_limit) {
      process.send(SIGKILL);
      return fmt::format("no end after {} s (--case-seconds)", options.case_limit.count());
    }
  }
  std::optional<ProcessEnd> how;
  while (!(how = process.poll())) std::this_thread::sleep_for(5ms);
  return fmt::format("the kernel's process {}", how->signal ? how->str() : "had " + how->str());
}

}  // namespace

JudgeRun run_judge(const std::filesystem::path& library, const KernelInfo& kernel,
                   const JudgeOptions& options) {
  JudgeRun run;
  Reader reader(run);
  std::size_t from = 0;
  for (int ends = 0; ends < kMostEnds; ++ends) {
    std::vector<std::string> command{kernel_build::kJudge, library.string(), kernel.name,
                                     options.race ? "run" : "results", std::to_string(from)};
    if (options.tf32) command.emplace_back("tf32");
    run.problem = run_once(command, reader, options);
    if (run.problem.empty()) return run;
    if (!reader.in_case()) return run;
    reader.fail_running(run.problem);
    from = reader.next();
  }
  return run;
}

}  // namespace glia
