// glia bench: how fast each kernel of a training step and the whole step are, beside what the
// machine could do.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "apps/commands.h"
#include "engine/base/streams.h"
#include "apps/runs/environment.h"
#include "apps/terminal/interrupt.h"
#include "benchmarks/suite/report.h"
#include "engine/runtime/open_device.h"

namespace glia {

namespace {

using namespace bench;

constexpr const char* kStep = "train_step";

struct BenchOptions {
  DeviceRequest device;
  std::vector<std::string> backends{"native"}, convs{"auto"}, ops, phases;
  std::vector<std::int64_t> base_widths{32}, batch_sizes{6};
  UNetConfig unet;
  std::int64_t size = 240, flush_mib = 128;
  std::string up = name_of(unet.up), memory = name_of(device.memory), out;
  std::vector<std::string> precisions{"fp32"};
  MeasureOptions measure;
  bool no_cold = false, no_check = false;
  double peak_gflops = 0, peak_gbytes = 0;

  std::size_t flush_bytes() const { return static_cast<std::size_t>(flush_mib) << 20; }
};

/// What stands side by side in a row: a backend with a way to convolve and its precision.
struct Variant {
  std::string name, backend, conv, precision = "fp32";
};

bool chosen(const std::vector<std::string>& choice, const std::string& name) {
  return choice.empty() || std::find(choice.begin(), choice.end(), name) != choice.end();
}

/// Every backend with every --conv and --precision, named after what differs. Beside our own
/// kernels others stand once: --conv and --precision are ours.
std::vector<Variant> variants_of(const BenchOptions& o) {
  const bool beside_ours = chosen(o.backends, "native");
  std::vector<Variant> variants;
  for (const std::string& backend : o.backends) {
    if (beside_ours && backend != "native") {
      variants.push_back({backend, backend, "auto"});
      continue;
    }
    for (const std::string& conv : o.convs)
      for (const std::string& precision : o.precisions) {
        std::vector<std::string> name;
        if (o.backends.size() > 1) name.push_back(backend);
        if (o.convs.size() > 1) name.push_back(conv);
        if (o.precisions.size() > 1) name.push_back(precision);
        if (name.empty()) name.push_back(backend);
        variants.push_back({fmt::format("{}", fmt::join(name, " ")), backend, conv, precision});
      }
  }
  return variants;
}

/// For single calls: the kernels of the rows, not a whole step.
std::unique_ptr<Device> open(const BenchOptions& o, const Variant& variant, bool quiet,
                             bool single_calls = true) {
  DeviceRequest request = o.device;
  request.single_calls = single_calls;
  request.backend = variant.backend;
  request.conv = parse_conv(variant.conv);
  request.precision = parse_precision(variant.precision);
  if (variant.backend == "native") request.memory = parse_memory(o.memory);
  return open_device(request, [quiet](const std::string& line) {
    if (!quiet) print_note(line);
  });
}

/// Rows have to be those of all backends, which may not read maps.
Recording recording_of(const BenchOptions& o) {
  Recording how{.reads_maps = true, .memory = parse_memory(o.memory)};
  for (const Variant& variant : variants_of(o))
    how.reads_maps = how.reads_maps && open(o, variant, true)->kernels().reads_maps;
  return how;
}

/// A step as the backends run it, and with a pass an operation, from which floors are derived.
struct BenchStep {
  RecordedStep step, plain;
};

/// Steps for every base width and batch size. Checks that the filters leave something.
std::vector<BenchStep> record_steps(const BenchOptions& o) {
  const Recording how = recording_of(o);
  std::vector<BenchStep> steps;
  std::set<std::string> ops{kStep};
  bool any = o.phases.empty() && chosen(o.ops, kStep);
  for (const std::int64_t base_width : o.base_widths)
    for (const std::int64_t batch_size : o.batch_sizes) {
      UNetConfig config = o.unet;
      config.base_width = base_width;
      steps.push_back({record_training_step(config, batch_size, o.size, how),
                       record_training_step(config, batch_size, o.size)});
      for (const Call& call : steps.back().step.calls) {
        ops.insert(call.op);
        any = any || (chosen(o.ops, call.op) && chosen(o.phases, name_of(call.phase)));
      }
    }
  for (const std::string& op : o.ops)
    check(ops.contains(op), "--op: found '{}', the step has {}", op, fmt::join(ops, ", "));
  check(any, "--op, --phase: no kernel of the step is chosen by both");
  return steps;
}

void warn_of_load(int threads) {
  double load = 0;
  if (getloadavg(&load, 1) == 1 && load > 0.2 * threads)
    fmt::print(
        stderr,
        "warning: other programs kept {:.1f} cores busy in the last minute; times may be too "
        "long\n",
        load);
}

/// Opens every variant once, so that a wrong name is found before anything is timed, and measures
/// the machine with the first.
Report start_report(const BenchOptions& o) {
  Report report{.title = "", .environment = describe_environment(), .backends = {}};
  for (const Variant& variant : variants_of(o)) {
    const bool first = report.backends.empty();
    report.backends.push_back(variant.name);
    const auto device = open(o, variant, !first);
    if (!first) continue;
    const int threads = device->context().threads;
    const bool cpu = device->allocator().on_host();
    if (cpu) warn_of_load(threads);
    if (!o.measure.once) report.peaks = measure_peaks(*device, o.flush_bytes());
    report.environment["device"] = device->name();
    if (cpu) report.environment["threads"] = threads;
    report.title = fmt::format(
        "{}, U-Net of base width {}, batch {}, {}x{}",
        cpu ? fmt::format("{}, {} threads", report.environment.value("cpu", "CPU"), threads)
            : device->name(),
        fmt::join(o.base_widths, ", "), fmt::join(o.batch_sizes, ", "), o.size, o.size);
  }
  if (o.peak_gflops > 0) report.peaks.flops = 1e9 * o.peak_gflops;
  if (o.peak_gbytes > 0) report.peaks.bytes = 1e9 * o.peak_gbytes;
  report.settings = {{"device", o.device.device},
                     {"backends", o.backends},
                     {"conv", o.convs},
                     {"precision", o.precisions},
                     {"size", o.size},
                     {"samples", o.measure.samples},
                     {"row_seconds", o.measure.seconds},
                     {"flush_mib", o.flush_mib},
                     {"memory", o.memory},
                     {"up", o.up}};
  return report;
}

void print_now(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void print_machine(const Report& report, const BenchOptions& o) {
  const auto rate = [](double value, const char* unit) {
    return value > 0 ? fmt::format("{:.4g} {}", 1e-9 * value, unit) : "unknown";
  };
  fmt::print("{}\nat best {} (float32 multiply-adds) and {} (copy)\n\n", report.title,
             rate(report.peaks.flops, "GFLOP/s"), rate(report.peaks.bytes, "GB/s"));
  if (!report.peaks.known() && !o.measure.once)
    fmt::print("without both no roofline; give --peak-gflops or --peak-gbytes\n\n");
}

void bench_steps(const BenchOptions& o, const std::vector<BenchStep>& steps, Report& report) {
  std::vector<ClosedBackend> backends;
  for (const Variant& variant : variants_of(o))
    backends.push_back({variant.name, [&o, variant] { return open(o, variant, true, false); }});
  for (const BenchStep& bench : steps) {
    if (interrupted()) return;
    report.steps.push_back({bench.step, step_floors(bench.plain, report.peaks),
                            measure_step(bench.step, backends, o.measure)});
    print_now(step_text(report.steps.back()) + "\n");
  }
}

void bench_kernels(const BenchOptions& o, const std::vector<BenchStep>& steps, Report& report) {
  std::vector<OpenBackend> backends;
  for (const Variant& variant : variants_of(o))
    backends.emplace_back(variant.name, open(o, variant, true),
                          o.measure.cold && !o.measure.once ? o.flush_bytes() : sizeof(float));
  for (const BenchStep& bench : steps) {
    const RecordedStep& step = bench.step;
    fmt::print("kernels of a step, base width {}, batch {}\n", step.config.base_width,
               step.batch_size);
    print_now(table_header(report));
    for (const Row& row : distinct_rows(step.calls)) {
      if (!chosen(o.ops, row.call.op) || !chosen(o.phases, name_of(row.call.phase))) continue;
      if (interrupted()) return;
      report.kernels.push_back({step.config.base_width, step.batch_size, row,
                                measure_call(row.call, backends, o.measure)});
      print_now(table_lines(report, report.kernels.back()));
    }
    print_now(total_text(report, step) + "\n");
  }
}

void run_bench(BenchOptions& o) {
  o.unet.up = parse_up(o.up);
  o.measure.cold = !o.no_cold;
  o.measure.check = !o.no_check;
  const std::vector<BenchStep> steps = record_steps(o);
  Report report = start_report(o);
  print_machine(report, o);
  catch_interrupts();
  if (o.phases.empty() && chosen(o.ops, kStep)) bench_steps(o, steps, report);
  if (o.ops != std::vector<std::string>{kStep}) bench_kernels(o, steps, report);
  if (!o.out.empty()) {
    write_report(report, o.out);
    fmt::print("written to {}\n", o.out);
  }
  if (interrupted()) throw CLI::RuntimeError(130);
}

void add_choice_options(CLI::App& command, BenchOptions& o) {
  command.add_option("--device", o.device.device, "Where to compute: cpu, cuda, cuda:i, or auto")
      ->capture_default_str();
  command
      .add_option(
          "--backend", o.backends,
          "Whose kernels, side by side: a list of native, emu (and in builds that have it onednn, "
          "onednn-blocked, which is its convolutions in its own layouts, or cudnn)")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--conv", o.convs,
                  "How the CPU's native kernels convolve, side by side: a list of auto, direct and "
                  "winograd")
      ->delimiter(',')
      ->check(CLI::IsMember(conv_names()))
      ->capture_default_str();
  command
      .add_option("--precision", o.precisions,
                  "In what the convolutions of the CPU's native kernels multiply, side by side: a "
                  "list of fp32 and bf16")
      ->delimiter(',')
      ->check(CLI::IsMember(precision_names()))
      ->capture_default_str();
  command
      .add_option(
          "--memory", o.memory,
          "What the native kernels of the CPU keep of a step: auto, fast or lean; with a "
          "backend beside them that cannot do either, rows are those of a pass an operation")
      ->check(CLI::IsMember(memory_names()))
      ->capture_default_str();
  command.add_option("--threads", o.device.threads, "CPU threads; 0 takes every core")
      ->capture_default_str();
  command.add_option("--base-width", o.base_widths, "Channels of the first level; a list")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--batch-size", o.batch_sizes, "Images a step; a list")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--size", o.size, "Height and width of the images")->capture_default_str();
  command.add_option("--depth", o.unet.depth, "Number of halvings")->capture_default_str();
  command.add_option("--up", o.up, "How the decoder doubles the image: transpose or upsample")
      ->capture_default_str();
  command
      .add_option("--op", o.ops,
                  "Only these: train_step (the whole step), conv2d, conv_transpose2d, batch_norm, "
                  "relu, max_pool2d, iou_loss, adam, ...; a list")
      ->delimiter(',');
  command
      .add_option("--phase", o.phases,
                  "Only these: forward, backward, dgrad, wgrad, update; a list")
      ->delimiter(',')
      ->check(CLI::IsMember({"forward", "backward", "dgrad", "wgrad", "update"}));
}

void add_measure_options(CLI::App& command, BenchOptions& o) {
  command.add_option("--samples", o.measure.samples, "Samples of each row")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option("--row-seconds", o.measure.seconds,
                  "Stop sampling a row after this time, but never before three samples; a whole "
                  "step gets 15 times as long")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_flag("--check-nan", o.device.check_nan,
                   "Look at what every kernel writes, and end a row at the first value that is not "
                   "finite; times then mean nothing");
  command.add_flag("--no-cold", o.no_cold, "Leave out the samples with cold caches");
  command.add_flag("--no-check", o.no_check, "Leave out errors and repeatability");
  command
      .add_option("--flush-mib", o.flush_mib,
                  "Memory read before a cold sample and copied to measure the bandwidth: more than "
                  "all caches")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command
      .add_option("--peak-gflops", o.peak_gflops,
                  "Peak rate of float32 arithmetic; 0: measured on a CPU, unknown on a GPU")
      ->capture_default_str();
  command.add_option("--peak-gbytes", o.peak_gbytes, "Bandwidth of memory; 0: measured")
      ->capture_default_str();
  command.add_flag("--profile-once", o.measure.once,
                   "Run every kernel of the rows exactly once and nothing else, under a profiler");
  command.add_option("--out", o.out, "Folder for bench.json, bench.csv and roofline.svg");
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto* command = app.add_subcommand("bench", "Times every kernel of a training step and the step");
  auto options = std::make_shared<BenchOptions>();
  add_choice_options(*command, *options);
  add_measure_options(*command, *options);
  command->footer(
      "Example:\n"
      "  glia bench --device cpu --out bench\n"
      "  glia bench --base-width 32,64 --batch-size 6,12 --op conv2d --phase dgrad,wgrad\n"
      "docs/benchmarks.md explains the columns.");
  command->callback([options] { run_bench(*options); });
}

}  // namespace glia
