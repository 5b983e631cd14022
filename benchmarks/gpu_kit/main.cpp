// gpu-kit: the steps that only a GPU can do, from a folder that was packed elsewhere, and tables of
// what they found. benchmarks/gpu-kit packs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "benchmarks/gpu_kit/golden/golden_outputs.h"
#include "benchmarks/gpu_kit/predict.h"
#include "benchmarks/gpu_kit/report.h"
#include "benchmarks/gpu_kit/run.h"
#include "benchmarks/gpu_kit/steps.h"
#include "benchmarks/gpu_kit/worker.h"
#include "engine/base/streams.h"

namespace glia::kit {

namespace {

void add_run(CLI::App& app) {
  auto* command = app.add_subcommand("run", "Runs the steps on this machine's GPU");
  auto o = std::make_shared<RunOptions>();
  command->add_option("kit", o->kit, "Folder of the kit")->required();
  command
      ->add_option("out", o->out,
                   "Folder for results.json, golden.json and log.txt; none that has some already")
      ->required();
  command->add_option("--only", o->only, "Steps: a list")->delimiter(',');
  command->add_option("--budget", o->budget, "Seconds after which no step is begun")
      ->check(CLI::Range(1.0, 86400.0));
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
