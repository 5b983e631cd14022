// The steps of a first quarter of an hour on a GPU, the most valuable first.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "benchmarks/gpu_kit/program.h"
#include "benchmarks/gpu_kit/results.h"
#include "engine/base/error.h"

namespace glia::kit {

/// A step cannot be done here; the text says what is missing.
class Skip : public Error {
 public:
  using Error::Error;
};

/// Where the kit lies, what it runs on and where results go.
struct Bench {
  std::filesystem::path kit, out;
  std::filesystem::path scratch;  // for files that are no result; outside `out`
  bool emulator = false;          // a rehearsal: tiny shapes on the emulator of the CUDA kernels
  std::string no_gpu = {};        // why no GPU can be used; empty when one can
  const Results* results = nullptr;

  std::string program(const std::string& name) const { return (kit / "bin" / name).string(); }
  std::filesystem::path log() const { return out / "log.txt"; }
  /// What the kernels run on: the GPU, or the emulator on the CPU.
  std::string device() const { return emulator ? "cpu" : "cuda"; }
  /// Ours; NVIDIA's is "cudnn".
  std::string native() const { return emulator ? "emu" : "native"; }
  bool has(const std::string& name) const { return std::filesystem::exists(program(name)); }

  /// Runs one of the kit's programs, or another, with its output in the log. Throws `Error` with
  /// its last line when it fails or is stopped.
  std::string check(const Command& command, Deadline deadline) const;
  /// The same, whatever it ends with; stopped, it has `mercy` to write what it has.
  Ran try_it(const Command& command, Deadline deadline, Seconds mercy = kMercy) const;
  /// Throws `Skip` where no GPU can be used, and it is no rehearsal.
  void need_gpu() const;
  /// The first python3 on the PATH that has torch and numpy; empty where none has.
  std::string python() const;
  /// A program that is no part of the kit. Throws `Skip` where there is none.
  std::string need(const std::string& program) const;
};

/// What a result says in place of the peer's.
inline constexpr const char* kNoTorch = "skipped: no python3 on the PATH has torch and numpy";

struct Step {
  const char* name;
  const char* what;
  double seconds;  // at most
  /// Fills in what it finds as it goes, so that a step that is stopped has told something. Throws
  /// `Skip` or `Error`.
  void (*work)(const Bench& bench, Deadline deadline, nlohmann::ordered_json& result);
};

std::span<const Step> steps();

using StepResult = nlohmann::ordered_json;
void look_at_machine(const Bench& bench, Deadline deadline, StepResult& result);
void measure_ceilings(const Bench& bench, Deadline deadline, StepResult& result);
void time_steps(const Bench& bench, Deadline deadline, StepResult& result);
void time_inference(const Bench& bench, Deadline deadline, StepResult& result);
void check_outputs(const Bench& bench, Deadline deadline, StepResult& result);
void time_rows(const Bench& bench, Deadline deadline, StepResult& result);
void compare_training(const Bench& bench, Deadline deadline, StepResult& result);
void run_checkers(const Bench& bench, Deadline deadline, StepResult& result);
void profile_kernels(const Bench& bench, Deadline deadline, StepResult& result);

}  // namespace glia::kit
