// Whether the kernels compute what they should: golden outputs, the operations' cases, NVIDIA's
// checkers, and whole trainings.
#include <fmt/format.h>
#include <stdlib.h>

#include <cmath>
#include <optional>

#include "apps/study/conversation.h"
#include "benchmarks/gpu_kit/steps.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia::kit {

namespace {

/// The backends that `ops_tests` shall test.
class TestBackends {
 public:
  explicit TestBackends(const std::string& names) { ::setenv(kName, names.c_str(), 1); }
  ~TestBackends() { ::unsetenv(kName); }
  TestBackends(const TestBackends&) = delete;
  TestBackends& operator=(const TestBackends&) = delete;

 private:
  static constexpr const char* kName = "GLIA_TEST_BACKENDS";
};

/// Names of quick tests, a line each, joined as the tests take them.
std::string small_cases(const Bench& bench) {
  const std::string lines = read_file(bench.kit / "small-cases.txt");
  std::string names;
  for (std::size_t begin = 0, end = 0; begin < lines.size(); begin = end + 1) {
    end = std::min(lines.find('\n', begin), lines.size());
    if (end > begin) names += (names.empty() ? "" : ",") + lines.substr(begin, end - begin);
  }
  return names;
}

/// How the tests ended: their last lines, whether all passed or not.
StepResult outcome(const Ran& ran) {
  const std::size_t end = ran.output.find_last_not_of('\n');
  const std::size_t line = end == std::string::npos ? 0 : ran.output.rfind('\n', end) + 1;
  return {{"passed", ran.good()},
          {"seconds", ran.seconds},
          {"said", ran.good() ? ran.output.substr(line, end + 1 - line) : ran.problem()}};
}

void compare_golden(const Bench& bench, Deadline deadline, StepResult& result) {
  Command command{
      bench.program("gpu-kit"),        "golden",   "--backend",
      bench.emulator ? "emu" : "cuda", "--expect", (bench.kit / "golden.json").string()};
  command.insert(command.end(), {"--write", (bench.out / "golden.json").string()});
  result["golden"] = parse_json<StepResult>(bench.check(command, deadline), "gpu-kit golden");
}

double largest_difference(const nlohmann::json& a, const nlohmann::json& b) {
  double worst = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double x = a[i].get<double>(), y = b[i].get<double>();
    worst = std::max(worst, std::abs(x - y) / std::max(std::abs(y), 1e-30));
  }
  return worst;
}

}  // namespace

void check_outputs(const Bench& bench, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  bool good = true;
  const auto attempt = [&](const char* name, const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      good = false;
      result[name]["problem"] = error.what();
    }
  };
  attempt("golden", [&] { compare_golden(bench, deadline, result); });
  int left = bench.emulator ? 1 : 2;
  for (const char* backend : {"cuda", "cudnn"}) {
    if (bench.emulator && backend != std::string_view("cuda")) continue;
    const TestBackends tested(bench.emulator ? "emu" : backend);
    const Ran ran =
        bench.try_it({bench.program("ops_tests"), bench.emulator ? small_cases(bench) : "[ops]"},
                     share(deadline, left--));
    result[bench.emulator ? "emu" : backend] = outcome(ran);
    good = good && ran.good();
  }
  good = good && result["golden"].value("same", false);
  glia::check(good, "not all outputs are what they should be");
}

void run_checkers(const Bench& bench, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  if (bench.emulator) {
    if (!bench.has("emu_race_ops_tests"))
      throw Skip("this kit was packed without the emulator's race checker");
    const TestBackends tested("emu");
    const Ran ran =
        bench.try_it({bench.program("emu_race_ops_tests"), small_cases(bench)}, deadline);
    result["emulator"] = outcome(ran);
    glia::check(ran.good(), "{}", ran.problem());
    return;
  }
  const std::string sanitizer = bench.need("compute-sanitizer");
  const Ran trial = bench.try_it(
      {sanitizer, "--error-exitcode", "9", bench.program("glia"), "doctor", "--device", "cuda"},
      std::min(deadline, std::chrono::steady_clock::now() + std::chrono::seconds(15)));
  if (!trial.good()) throw Skip("compute-sanitizer does not work here: " + trial.problem());
  const TestBackends tested("cuda");
  bool good = true;
  int left = 3;
  for (const char* tool : {"memcheck", "racecheck", "synccheck"}) {
    const Ran ran = bench.try_it({sanitizer, "--tool", tool, "--error-exitcode", "9",
                                  bench.program("ops_tests"), small_cases(bench)},
                                 share(deadline, left--));
    result[tool] = outcome(ran);
    good = good && ran.good();
  }
  glia::check(good, "a checker found something, or did not end in time");
}

void compare_training(const Bench& bench, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  const std::filesystem::path slices = bench.scratch / "slices";
  const Command phantom{bench.program("glia"),
                        "phantom",
                        "--out",
                        slices.string(),
                        "--patients",
                        bench.emulator ? "2" : "10",
                        "--slices",
                        bench.emulator ? "2" : "12",
                        "--size",
                        bench.emulator ? "16" : "240",
                        "--seed",
                        "7",
                        "--overwrite"};
  bench.check(phantom, deadline);
  const std::string weights = (bench.scratch / "start.safetensors").string();
  nlohmann::json question{{"do", "losses"},
                          {"device", bench.device()},
                          {"backend", bench.native()},
                          {"precision", "fp32"},
                          {"data", slices.string()},
                          {"base_width", bench.emulator ? 2 : 16},
                          {"batch_size", bench.emulator ? 2 : 12},
                          {"steps", bench.emulator ? 4 : 10},
                          {"weights", weights}};
  StepResult answers;
  {
    Conversation worker({bench.program("gpu-kit"), "worker"}, "gpu-kit", bench.log());
    for (const bool captured : {false, true}) {
      question["captured"] = captured;
      const char* name = captured ? "captured" : "eager";
      const nlohmann::json answer = worker.ask(question, deadline);
      glia::check(!answer.contains("problem"), "{}: {}", name, json_text(answer));
      result[name] = answer;
    }
  }
  result["recorded_equals_eager"] = result["eager"] == result["captured"];
  const std::string python = bench.python();
  if (python.empty()) {
    result["torch"] = kNoTorch;
  } else {
    Conversation peer({python, (bench.kit / "peer" / "peer.py").string()}, python, bench.log());
    const nlohmann::json answer = peer.ask(question, deadline);
    result["torch"] = answer;
    if (answer.contains("losses"))
      result["largest_relative_difference"] =
          largest_difference(result["eager"]["losses"], answer["losses"]);
  }
  glia::check(result["recorded_equals_eager"].get<bool>(),
              "a recorded training gives other weights or losses than one kernel by kernel");
}

}  // namespace glia::kit
