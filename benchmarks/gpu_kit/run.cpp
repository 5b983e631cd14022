#include "benchmarks/gpu_kit/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "benchmarks/gpu_kit/scratch.h"
#include "benchmarks/gpu_kit/steps.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/streams.h"

namespace glia::kit {

namespace {

using Clock = std::chrono::steady_clock;

/// Why no GPU can be used; empty when one can.
std::string why_no_gpu(const Bench& bench) {
  const Ran ran =
      bench.try_it({bench.program("glia"), "doctor", "--device", "cuda"}, after(Seconds(30)));
  if (ran.good()) return {};
  const std::string said = ran.problem(), by = "glia: ";
  const std::size_t at = said.find(by);
  return at == std::string::npos ? said : said.substr(at + by.size());
}

/// Runs a step and says how it ended.
StepResult outcome_of(const Step& step, const Bench& bench, double seconds) {
  StepResult outcome{{"name", step.name}, {"status", "done"}, {"reason", ""}};
  StepResult result;
  const auto start = Clock::now();
  try {
    step.work(bench, after(Seconds(seconds)), result);
  } catch (const Skip& skip) {
    outcome["status"] = "skipped";
    outcome["reason"] = skip.what();
  } catch (const std::exception& error) {
    outcome["status"] = "failed";
    outcome["reason"] = error.what();
  }
  outcome["seconds"] = Seconds(Clock::now() - start).count();
  outcome["limit_s"] = seconds;
  if (!result.is_null()) outcome["result"] = std::move(result);
  return outcome;
}

/// Throws `Error` where a name is no step's.
void check_names(const std::vector<std::string>& names) {
  std::string all;
  std::set<std::string> known;
  for (const Step& step : steps()) {
    known.insert(step.name);
    all += (all.empty() ? "" : ", ") + std::string(step.name);
  }
  for (const std::string& name : names)
    check(known.contains(name), "--only: found '{}', expected {}", name, all);
}

/// Throws `Error` where the folder lacks something of a kit or its programs do not start here.
void check_kit(const std::filesystem::path& kit, const std::filesystem::path& scratch) {
  check(std::filesystem::exists(kit / "kit.json"),
        "{}: found no kit.json, expected a folder that `benchmarks/gpu-kit pack` has made",
        kit.string());
  for (const char* name : {"bin/glia", "bin/gpu-kit", "bin/ops_tests", "peer/peer.py",
                           "peer/load_weights.py", "golden.json", "small-cases.txt"})
    check(std::filesystem::exists(kit / name),
          "{}: found no {}, so the kit is not whole; copy it again", kit.string(), name);
  for (const char* name : {"glia", "gpu-kit", "ops_tests"}) {
    const std::string program = (kit / "bin" / name).string();
    const Ran ran = run({program, name == std::string_view("glia") ? "--version" : "--help"},
                        after(Seconds(30)), scratch);
    check(ran.good(), "{} does not start here ({}); copy the kit again", program, ran.problem());
  }
}

}  // namespace

void run_kit(const RunOptions& o) {
  check_names(o.only);
  const Scratch scratch;
  Bench bench{.kit = std::filesystem::absolute(o.kit),
              .out = std::filesystem::absolute(o.out),
              .scratch = scratch.path(),
              .emulator = o.emulator};
  check_kit(bench.kit, bench.scratch);
  check(!std::filesystem::exists(bench.out / kResultsFile),
        "{}: has the results of another run, which are kept; choose another folder", o.out);
  const std::filesystem::path about = bench.kit / "kit.json";
  StepResult info = parse_json<StepResult>(read_file(about), about.string());
  make_folder(o.out);
  info["run_on"] = fmt::format(
      "{:%Y-%m-%d}", std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
  info["emulator"] = o.emulator;
  info["budget_s"] = o.budget;
  Results results(bench.out, info);
  bench.results = &results;
  const auto start = Clock::now();
  if (!o.emulator) bench.no_gpu = why_no_gpu(bench);
  int failed = 0;
  for (const Step& step : steps()) {
    if (!o.only.empty() && std::find(o.only.begin(), o.only.end(), step.name) == o.only.end())
      continue;
    const double left = o.budget - Seconds(Clock::now() - start).count();
    StepResult outcome{{"name", step.name},
                       {"status", "skipped"},
                       {"reason", fmt::format("the budget of {} s is spent", o.budget)}};
    if (left > 0) outcome = outcome_of(step, bench, std::min(step.seconds, left));
    failed += outcome["status"].get<std::string>() == "failed";
    const auto reason = outcome["reason"].get<std::string>();
    print_line(fmt::format("{:<10} {:<8} {:>6.1f} s  {}", step.name,
                           outcome["status"].get<std::string>(), outcome.value("seconds", 0.0),
                           reason.empty() ? step.what : reason));
    results.add(std::move(outcome));
  }
  print_line(fmt::format("written to {}", (bench.out / kResultsFile).string()));
  check(failed == 0, "{} of the steps failed; {} has all that they printed", failed,
        bench.log().string());
}

}  // namespace glia::kit
