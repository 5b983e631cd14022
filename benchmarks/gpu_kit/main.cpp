// gpu-kit: the steps that only a GPU can do, from a folder that was packed elsewhere, and tables of
// what they found. benchmarks/gpu-kit packs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "benchmarks/gpu_kit/golden/golden_outputs.h"
#include "benchmarks/gpu_kit/predict.h"
#include "benchmarks/gpu_kit/report.h"
#include "benchmarks/gpu_kit/steps.h"
#include "benchmarks/gpu_kit/worker.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/streams.h"

namespace glia::kit {

namespace {

using Clock = std::chrono::steady_clock;

struct RunOptions {
  std::string kit, out;
  std::vector<std::string> only;
  double budget = 480;
  bool emulator = false;
};

Deadline after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
}

/// Why no GPU can be used; empty when one can.
std::string why_no_gpu(const Bench& bench) {
  const Ran ran = bench.try_it({bench.program("glia"), "doctor", "--device", "cuda"}, after(30));
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
    step.work(bench, after(seconds), result);
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

void run_kit(const RunOptions& o) {
  check_names(o.only);
  const std::filesystem::path kit = std::filesystem::absolute(o.kit);
  const std::filesystem::path about = kit / "kit.json";
  check(std::filesystem::exists(about),
        "{}: found no kit.json, expected a folder that `benchmarks/gpu-kit pack` has made", o.kit);
  make_folder(o.out);
  Bench bench{.kit = kit, .out = std::filesystem::absolute(o.out), .emulator = o.emulator};
  StepResult info = parse_json<StepResult>(read_file(about), about.string());
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

void add_run(CLI::App& app) {
  auto* command = app.add_subcommand("run", "Runs the steps on this machine's GPU");
  auto o = std::make_shared<RunOptions>();
  command->add_option("kit", o->kit, "Folder of the kit")->required();
  command->add_option("out", o->out, "Folder for results.json, golden.json and log.txt")
      ->required();
  command->add_option("--only", o->only, "Steps: a list")->delimiter(',');
  command->add_option("--budget", o->budget, "Seconds after which no step is begun")
      ->check(CLI::PositiveNumber);
  command->add_flag("--emulator", o->emulator,
                    "A rehearsal: tiny shapes on the emulator of the CUDA kernels");
  std::string names = "Steps:\n";
  for (const Step& step : steps())
    names += fmt::format("  {:<10} {} ({} s at most)\n", step.name, step.what, step.seconds);
  command->footer(names + "Example:\n  kit/bin/gpu-kit run kit results --budget 480");
  command->callback([o] { run_kit(*o); });
}

void add_report(CLI::App& app) {
  auto* command = app.add_subcommand("report", "Shows what a run of the kit found");
  auto folder = std::make_shared<std::string>();
  auto results = std::make_shared<std::string>();
  command->add_option("out", *folder, "Folder that `gpu-kit run` wrote")->required();
  command->add_option("--results", *results,
                      "Also keep the figures there, named after date and GPU");
  command->footer("Example:\n  benchmarks/gpu-kit report results --results benchmarks/results");
  command->callback([folder, results] { report(*folder, *results); });
}

void add_worker(CLI::App& app) {
  auto* command = app.add_subcommand("worker", "Answers the steps of `run`, a line of JSON each");
  command->callback(serve);
}

}  // namespace

}  // namespace glia::kit

int main(int argc, char** argv) {
  glia::open_standard_streams();
  CLI::App app{"What only a GPU can show, in a quarter of an hour"};
  app.name("gpu-kit");
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  int code = 0;
  try {
    glia::kit::add_run(app);
    glia::kit::add_report(app);
    glia::kit::add_golden(app);
    glia::kit::add_predict(app);
    glia::kit::add_worker(app);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    code = app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gpu-kit: {}\n", error.what());
    code = 1;
  }
  return glia::finish_standard_streams() || code != 0 ? code : 1;
}
