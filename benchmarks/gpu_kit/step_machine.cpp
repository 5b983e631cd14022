// What the machine is, and what it can do at best.
#include <fmt/format.h>
#include <gnu/libc-version.h>

#include "benchmarks/gpu_kit/steps.h"
#include "engine/base/json.h"

namespace glia::kit {

namespace {

constexpr const char* kQuery =
    "--query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm,clocks.mem,power.limit,"
    "temperature.gpu,persistence_mode,mig.mode.current";

constexpr auto kOursAlone = std::chrono::seconds(5);  // left where NVIDIA's take too long

/// What a program that need not be there says in a line, or why it does not.
std::string say(const Bench& bench, const Command& command, Deadline deadline) {
  if (find_program(command.front()).empty()) return "not on the PATH";
  const Ran ran = bench.try_it(command, deadline);
  return ran.good() ? ran.output.substr(0, ran.output.find_last_not_of('\n') + 1) : ran.problem();
}

}  // namespace

void look_at_machine(const Bench& bench, Deadline deadline, StepResult& result) {
  result["glibc"] = gnu_get_libc_version();
  result["glia"] = parse_json<StepResult>(
      bench.check({bench.program("glia"), "doctor", "--json"}, deadline), "glia doctor");
  result["gpu"] = say(bench, {"nvidia-smi", kQuery, "--format=csv"}, deadline);
  result["nvcc"] = say(bench, {"nvcc", "--version"}, deadline);
  result["ncu"] = say(bench, {"ncu", "--version"}, deadline);
  result["compute_sanitizer"] = say(bench, {"compute-sanitizer", "--version"}, deadline);
  bench.need_gpu();
}

void measure_ceilings(const Bench& bench, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  const auto measure = [&](const std::string& backends, Deadline until) {
    result =
        parse_json<StepResult>(bench.check({bench.program("glia"), "bench", "--ceilings", "--json",
                                            "--device", bench.device(), "--backend", backends},
                                           until),
                               "glia bench --ceilings");
  };
  if (bench.emulator) return measure("emu", deadline);
  try {
    measure("native,cudnn", deadline - kOursAlone);
  } catch (const Error& error) {
    measure("native", deadline);  // NVIDIA's libraries may be what is missing
    throw Error(fmt::format("only ours: {}", error.what()));
  }
}

}  // namespace glia::kit
