// Whole training steps of the U-Net, or predictions, and nothing else, for a comparison with a peer
// in another process (benchmarks/beside): one JSON line. `glia bench --op train_step` measures the
// same with its floors beside it. Usage: train_step --base-width 32 --batch-size 6
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "benchmarks/suite/repeated_step.h"
#include "benchmarks/suite/statistics.h"
#include "benchmarks/suite/stopwatch.h"
#include "engine/runtime/open_device.h"
#include "kernels/cpu/table.h"

namespace glia::bench {

namespace {

struct Options {
  std::int64_t base_width = 32, batch_size = 6, size = 240;
  DeviceRequest device{.device = "cpu"};
  std::string conv = name_of(device.conv), memory = name_of(device.memory),
              precision = name_of(device.precision);
  std::string mode = "train";
  bool eager = false;
  int warmup = 3, steps = 10;
};

void run(Options o) {
  o.device.conv = parse_conv(o.conv);
  o.device.memory = parse_memory(o.memory);
  o.device.precision = parse_precision_choice(o.precision);
  const auto device = open_device(o.device);
  const auto stopwatch = make_stopwatch(*device);
  const UNetConfig config{.base_width = o.base_width};
  const auto mode = o.eager ? RepeatedWork::Mode::eager : RepeatedWork::Mode::automatic;
  std::unique_ptr<Repeated> work;
  if (o.mode == "train")
    work = std::make_unique<RepeatedStep>(*device, config, o.batch_size, o.size, mode);
  else
    work = std::make_unique<RepeatedInference>(*device, config, o.batch_size, o.size, mode);
  std::vector<double> seconds;
  for (int i = -o.warmup; i < o.steps; ++i) {
    stopwatch->start();
    work->run();
    const double spent = stopwatch->stop();
    if (i >= 0) seconds.push_back(spent);
  }
  const double median = summarize(seconds).median;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const nlohmann::ordered_json json = {{"program", "glia train_step"},
                                       {"mode", o.mode},
                                       {"device", device->name()},
                                       {"instruction_set", cpu::instruction_set()},
                                       {"threads", device->context().threads},
                                       {"base", o.base_width},
                                       {"batch", o.batch_size},
                                       {"size", o.size},
                                       {"precision", name_of(device->context().precision)},
                                       {"conv", o.conv},
                                       {"memory", o.memory},
                                       {"step_s", median},
                                       {"min_s", percentile(seconds, 0)},
                                       {"max_s", percentile(seconds, 1)},
                                       {"images_per_s", static_cast<double>(o.batch_size) / median},
                                       {"peak_mib", static_cast<double>(usage.ru_maxrss) / 1024}};
  fmt::print("{}\n", json.dump());
}

}  // namespace

}  // namespace glia::bench

int main(int argc, char** argv) {
  CLI::App app{"Times training steps of the U-Net, or predictions, on a random batch"};
  glia::bench::Options options;
  app.option_defaults()->always_capture_default();
  app.add_option("--mode", options.mode, "train, or infer: only the probabilities")
      ->check(CLI::IsMember({"train", "infer"}));
  app.add_option("--base-width", options.base_width, "Channels of the first level");
  app.add_option("--batch-size", options.batch_size, "Images a step");
  app.add_option("--size", options.size, "Height and width of the images");
  app.add_option("--device", options.device.device, "cpu, cuda, cuda:i or auto");
  app.add_option("--backend", options.device.backend, "Whose kernels; see glia bench --help");
  app.add_option("--conv", options.conv, "How the CPU convolves: auto, direct or winograd");
  app.add_option("--memory", options.memory, "What the CPU keeps: auto, fast or lean");
  app.add_option("--precision", options.precision, "Of convolutions: auto, fp32, tf32 or bf16");
  app.add_flag("--eager", options.eager, "Never capture it as a graph");
  app.add_option("--threads", options.device.threads, "CPU threads; 0 takes every core");
  app.add_option("--warmup", options.warmup, "Steps that are not timed");
  app.add_option("--steps", options.steps, "Steps that are")->check(CLI::PositiveNumber);
  app.footer(
      "Example:\n  train_step --base-width 32 --batch-size 6\n"
      "  train_step --mode infer --batch-size 1");
  CLI11_PARSE(app, argc, argv);
  try {
    glia::bench::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "train_step: {}\n", error.what());
    return 1;
  }
}
