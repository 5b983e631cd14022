#include "benchmarks/gpu_kit/steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/check.h"

namespace glia::kit {

namespace {

constexpr Step kSteps[] = {
    {"machine", "GPU, driver, clocks, libraries, glibc", 10, look_at_machine},
    {"ceilings", "the copy's rate and the arithmetic peaks", 15, measure_ceilings},
    {"steps", "whole training steps beside NVIDIA's kernels and PyTorch", 120, time_steps},
    {"outputs", "golden outputs, and every operation's cases", 60, check_outputs},
    {"inference", "a batch's probabilities beside NVIDIA's kernels and PyTorch", 60,
     time_inference},
    {"rows", "every kernel of a step beside NVIDIA's", 90, time_rows},
    {"training", "recorded = eager; losses beside PyTorch's", 40, compare_training},
    {"checkers", "memcheck, racecheck and synccheck on small cases", 90, run_checkers},
    {"profile", "counters of the longest kernels", 45, profile_kernels},
};

void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream log(file, std::ios::app);
  log << text;
}

}  // namespace

std::span<const Step> steps() {
  return kSteps;
}

Ran Bench::try_it(const Command& command, Deadline deadline, Seconds mercy) const {
  Ran ran = run(command, deadline, scratch, mercy);
  append(log(), fmt::format("$ {}\n{}\n[{:.1f} s, {}]\n\n", fmt::join(command, " "), ran.output,
                            ran.seconds, ran.good() ? "done" : ran.problem()));
  return ran;
}

std::string Bench::check(const Command& command, Deadline deadline) const {
  Ran ran = try_it(command, deadline);
  glia::check(ran.good(), "{}: {}", std::filesystem::path(command.front()).filename().string(),
              ran.problem());
  return ran.output;
}

void Bench::need_gpu() const {
  if (!emulator && !no_gpu.empty()) throw Skip(no_gpu);
}

std::string Bench::python() const {
  constexpr const char* kHasTorch =
      "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('torch', 'numpy'))))";
  for (const std::string& python : find_programs("python3"))
    if (run({python, "-c", kHasTorch}, std::chrono::steady_clock::now() + std::chrono::seconds(10),
            scratch)
            .good())
      return python;
  return {};
}

std::string Bench::need(const std::string& name) const {
  const std::string found = find_program(name);
  if (found.empty()) throw Skip(fmt::format("no {} on the PATH", name));
  return found;
}

}  // namespace glia::kit
