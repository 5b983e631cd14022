// glia bench: how fast each kernel of a training step and the whole step are, or kernels at any
// other shape, beside what the machine could do.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "apps/commands.h"
#include "apps/flags/bench_options.h"
#include "apps/flags/operation_list.h"
#include "apps/kernel/built_plugin.h"
#include "apps/kernel/kernel_names.h"
#include "apps/runs/environment.h"
#include "apps/runs/output_folder.h"
#include "apps/study/peer_worker.h"
#include "apps/study/plugin_worker.h"
#include "apps/terminal/interrupt.h"
#include "benchmarks/suite/case_rows.h"
#include "benchmarks/suite/compare.h"
#include "benchmarks/suite/report.h"
#include "engine/base/file.h"
#include "engine/base/streams.h"
#include "engine/base/text.h"
#include "engine/runtime/open_device.h"

namespace glia {

namespace {

using namespace bench;

constexpr const char *kStep = name_of(Whole::train_step), *kInference = name_of(Whole::inference);
constexpr const char* kCeilingsFile = "ceilings.json";

/// Rows have to be those of all backends, which may not have maps or store activations in bf16.
Recording recording_of(const BenchOptions& o) {
  Recording how{.maps = Maps::read,
                .gives_moments = true,
                .memory = parse_memory(o.memory),
                .activations = DType::bf16};
  if (!o.peers.empty()) {  // whose operators are a pass each
    how.maps = Maps::none;
    how.gives_moments = false;
    how.backend = "--peer";
  }
  for (const Variant& variant : o.variants()) {
    const auto device = o.open(variant, true);
    const KernelTable& kernels = device->kernels();
    if (kernels.activations != DType::bf16) how.activations = DType::f32;
    how.gives_moments = how.gives_moments && kernels.gives_moments;
    if (kernels.maps >= how.maps) continue;
    how.maps = kernels.maps;
    how.backend = kernels.name;
  }
  return how;
}

Filter filter_of(const BenchOptions& o) {
  return {o.ops, o.phases};
}

/// A step as the backends run it, and with a pass an operation, from which floors are derived; and
/// the inference of such a batch, where it is asked for.
struct BenchStep {
  RecordedStep step, plain;
  std::optional<RecordedStep> inference = {};
};

/// Steps for every base width and batch size. Checks that the filters leave something.
std::vector<BenchStep> record_steps(const BenchOptions& o) {
  const Recording how = recording_of(o);
  std::vector<BenchStep> steps;
  std::set<std::string> ops{kStep, kInference}, kernels;
  // Not a part of the step, and so only where it is named.
  const bool infers = !o.ops.empty() && chosen(o.ops, kInference) && o.phases.empty();
  bool any = infers || (o.phases.empty() && chosen(o.ops, kStep));
  for (const std::int64_t base_width : o.base_widths)
    for (const std::int64_t batch_size : o.batch_sizes) {
      UNetConfig config = o.unet;
      config.base_width = base_width;
      steps.push_back(
          {record_training_step(config, batch_size, o.size, how),
           record_training_step(config, batch_size, o.size, {.activations = how.activations})});
      if (infers) steps.back().inference = record_inference(config, batch_size, o.size, how);
      for (const Call& call : steps.back().step.calls) {
        ops.insert(call.op);
        kernels.insert(call.kernel);
        any = any || filter_of(o).lets(call);
      }
    }
  for (const std::string& op : o.ops)
    check(ops.contains(op) || kernels.contains(op),
          "--op: found '{}', the step has {}; give a --shape to time any other (glia bench --list)",
          op, fmt::join(ops, ", "));
  check(any,
        "--op, --phase: no kernel of the step is chosen by both '{}' and '{}'; choose another "
        "--phase, "
        "or leave one of the flags out",
        fmt::join(o.ops, ","), fmt::join(o.phases, ","));
  return steps;
}

/// Those of --shape or --case.
std::vector<Row> record_cases(const BenchOptions& o) {
  const Recording how = recording_of(o);
  if (!o.shape.given()) {
    CaseRows found = rows_of_cases(o.cases, filter_of(o), how);
    for (const std::string& left_out : found.left_out)
      fmt::print(stderr, "left out: {}\n", left_out);
    return std::move(found.rows);
  }
  std::vector<std::string> operations;
  for (const std::string& op : o.ops) operations.push_back(operation_of(op));
  return rows_at(o.shape.parse(operations), o.shape.text(), filter_of(o), how);
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

std::string what_is_timed(const BenchOptions& o) {
  if (o.shape.given()) return fmt::format("{} at {}", fmt::join(o.ops, ", "), o.shape.text());
  if (!o.cases.empty()) return fmt::format("cases {}", fmt::join(o.cases, ", "));
  return fmt::format("U-Net of base width {}, batch {}, {}x{}", fmt::join(o.base_widths, ", "),
                     fmt::join(o.batch_sizes, ", "), o.size, o.size);
}

/// Opens every variant once, so that a wrong name is found before anything is timed, and measures
/// the machine with the first.
Report start_report(const BenchOptions& o) {
  Report report{.title = "", .environment = describe_environment(), .backends = {}};
  std::string of_rows;  // the device against which they are measured
  for (const Variant& variant : o.variants()) {
    const bool first = report.backends.empty();
    report.backends.push_back(variant.name);
    const auto device = o.open(variant, !first);
    if (first) of_rows = device->name();
    // A roof is of one machine; what an emulator beside it would do at best says nothing.
    if (!o.measure.once && device->name() == of_rows && variant.plugin.empty())
      o.measure_ceilings(*device, report.ceilings);
    if (!first) continue;
    const int threads = device->context().threads;
    const bool cpu = device->allocator().on_host();
    if (cpu) warn_of_load(threads);
    report.environment["device"] = device->name();
    if (cpu) report.environment["threads"] = threads;
    report.title = fmt::format(
        "{}, {}",
        cpu ? fmt::format("{}, {} threads", report.environment.value("cpu", "CPU"), threads)
            : device->name(),
        what_is_timed(o));
  }
  report.peaks = peaks_of(report.ceilings, of_rows);
  if (o.peak_gflops > 0) report.peaks.flops = 1e9 * o.peak_gflops;
  if (o.peak_gbytes > 0) report.peaks.bytes = 1e9 * o.peak_gbytes;
  report.settings = {{"device", o.device.device},
                     {"backends", o.backends},
                     {"conv", o.convs},
                     {"precision", o.precisions},
                     {"fuse", o.fuses},
                     {"size", o.size},
                     {"samples", o.measure.until_sure ? nlohmann::ordered_json(o.samples)
                                                      : nlohmann::ordered_json(o.measure.samples)},
                     {"row_seconds", o.measure.seconds},
                     {"flush_mib", o.flush_mib},
                     {"memory", o.memory},
                     {"up", o.up}};
  if (!o.device.plugin.empty()) report.settings["plugin"] = o.device.plugin;
  if (!o.of_cases()) return report;
  for (const char* of_step : {"size", "memory", "up"}) report.settings.erase(of_step);
  report.settings["op"] = o.ops;
  report.settings["shape"] = o.shape.text();
  report.settings["case"] = o.cases;
  return report;
}

void print_now(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void print_machine(const Report& report, const BenchOptions& o) {
  fmt::print("{}\n", report.title);
  if (!report.ceilings.empty()) fmt::print("at best\n{}", ceilings_text(report.ceilings));
  for (const auto& [flag, rate] :
       {std::pair{"--peak-gflops", o.peak_gflops}, std::pair{"--peak-gbytes", o.peak_gbytes}})
    if (rate > 0) fmt::print("  {} {}, as given\n", flag, rate);
  fmt::print("\n");
  if (!report.peaks.known() && !o.measure.once)
    fmt::print("without both fp32 and copy no roofline; give --peak-gflops or --peak-gbytes\n\n");
}

/// Those of the plugin, or all others.
std::vector<Variant> variants_of(const BenchOptions& o, bool plugin) {
  std::vector<Variant> variants = o.variants();
  std::erase_if(variants, [&](const Variant& v) { return v.plugin.empty() == plugin; });
  return variants;
}

ClosedBackend closed(const BenchOptions& o, const Variant& variant) {
  return {variant.name, [&o, variant] { return o.open(variant, true, false); }};
}

std::vector<std::unique_ptr<PluginWorker>> plugin_workers(const BenchOptions& o) {
  std::vector<std::unique_ptr<PluginWorker>> workers;
  for (const Variant& variant : variants_of(o, true))
    workers.push_back(std::make_unique<PluginWorker>(variant.name, workers.size(), variant.plugin));
  return workers;
}

using PeerWorkers = std::vector<std::unique_ptr<PeerWorker>>;

/// Each peer in each precision of convolutions that it has on the device of the first backend: on
/// the CPU in fp32 alone.
PeerWorkers peer_workers(const BenchOptions& o) {
  PeerWorkers workers;
  if (o.peers.empty()) return workers;
  std::vector<std::string> precisions;
  PeerWork work{.flush_bytes = o.flush_bytes()};
  for (const Variant& variant : variants_of(o, false)) {
    const auto device = o.open(variant, true);
    const bool gpu = !device->allocator().on_host();
    if (gpu) work.device = device->name();
    work.threads = device->context().threads;
    const std::string precision = gpu ? name_of(device->context().precision) : "fp32";
    if (std::find(precisions.begin(), precisions.end(), precision) == precisions.end())
      precisions.push_back(precision);
  }
  for (const std::string& name : o.peers) {
    const Peer peer = find_peer(name, o.python);
    for (const std::string& precision : precisions) {
      work.precision = precision;
      const std::string called =
          precisions.size() == 1 ? peer.name : fmt::format("{} {}", peer.name, precision);
      workers.push_back(std::make_unique<PeerWorker>(called, peer, work, o.measure));
    }
  }
  return workers;
}

/// Starts them, so that what they lack is found before anything is timed.
void meet(PeerWorkers& peers, Report& report) {
  for (const auto& peer : peers) {
    report.settings["peers"][peer->name()] = peer->hello();
    report.backends.push_back(peer->name());
  }
}

void bench_steps(const BenchOptions& o, const std::vector<BenchStep>& steps, Report& report) {
  std::vector<ClosedBackend> backends;
  for (const Variant& variant : variants_of(o, false)) backends.push_back(closed(o, variant));
  const auto workers = plugin_workers(o);
  std::size_t next = 0;  // as in the other process
  const auto measure = [&](const RecordedStep& step, std::vector<Floor> floors) {
    if (interrupted()) return;
    std::vector<RemoteSteps*> remotes;
    for (const auto& worker : workers) {
      worker->choose_steps(next);
      remotes.push_back(worker.get());
    }
    ++next;
    report.steps.push_back(
        {step, std::move(floors), measure_step(step, backends, o.measure, remotes)});
    print_now(step_text(report.steps.back()) + "\n");
  };
  for (const BenchStep& bench : steps) {
    if (chosen(o.ops, kStep)) measure(bench.step, step_floors(bench.plain, report.peaks));
    if (bench.inference) measure(*bench.inference, {});
  }
}

/// Whether nothing is asked for but whole steps and inferences.
bool only_whole(const BenchOptions& o) {
  return !o.ops.empty() && std::all_of(o.ops.begin(), o.ops.end(), [](const std::string& op) {
    return op == kStep || op == kInference;
  });
}

OpenBackend opened(const BenchOptions& o, const Variant& variant) {
  return {variant.name, o.open(variant, true),
          o.measure.cold && !o.measure.once ? o.flush_bytes() : sizeof(float)};
}

/// Who takes part in every row.
struct Contestants {
  std::vector<OpenBackend> here;
  std::vector<std::unique_ptr<RemoteBackend>> elsewhere;
  std::size_t row = 0;  // the next of all rows

  std::vector<Measurement> measure(const Call& call, const MeasureOptions& options) {
    std::vector<RemoteBackend*> remotes;
    for (const auto& worker : elsewhere) {
      worker->choose_row(call, row);
      remotes.push_back(worker.get());
    }
    ++row;
    return measure_call(call, here, options, remotes);
  }
};

Contestants open_all(const BenchOptions& o, PeerWorkers peers) {
  Contestants all;
  for (auto& worker : plugin_workers(o)) all.elsewhere.push_back(std::move(worker));
  for (const Variant& variant : variants_of(o, false)) all.here.push_back(opened(o, variant));
  const auto untold =
      std::find_if(all.here.begin(), all.here.end(),
                   [](const OpenBackend& backend) { return !backend.no_health().empty(); });
  if (untold != all.here.end()) print_note(untold->no_health());
  for (auto& peer : peers) {
    std::string told;
    peer->watch(health_of(all.here.front().device(), told));
    all.elsewhere.push_back(std::move(peer));
  }
  return all;
}

/// A table of rows, of a step or of cases.
void bench_rows(const BenchOptions& o, const std::vector<Row>& rows, const RecordedStep* step,
                Contestants& contestants, Report& report) {
  fit_columns(report, rows);
  print_now(table_header(report));
  for (const Row& row : rows) {
    if (interrupted()) return;
    report.kernels.push_back({step ? step->config.base_width : 0, step ? step->batch_size : 0, row,
                              contestants.measure(row.call, o.measure)});
    print_now(table_lines(report, report.kernels.back()));
  }
}

std::vector<Row> rows_of(const BenchOptions& o, const BenchStep& bench) {
  std::vector<Row> rows = distinct_rows(bench.step.calls);
  std::erase_if(rows, [&](const Row& row) { return !filter_of(o).lets(row.call); });
  return rows;
}

void bench_kernels(const BenchOptions& o, const std::vector<BenchStep>& steps, PeerWorkers peers,
                   Report& report) {
  Contestants contestants = open_all(o, std::move(peers));
  for (const BenchStep& bench : steps) {
    fmt::print("kernels of a step, base width {}, batch {}\n", bench.step.config.base_width,
               bench.step.batch_size);
    bench_rows(o, rows_of(o, bench), &bench.step, contestants, report);
    if (interrupted()) return;
    if (!o.measure.once) print_now(total_text(report, bench.step) + "\n");
  }
}

/// Measures the plugin's kernels for the process that started this one.
void work_for_plugin(const BenchOptions& o, std::vector<Row> rows,
                     const std::vector<BenchStep>& steps) {
  for (const BenchStep& bench : steps)
    for (Row& row : rows_of(o, bench)) rows.push_back(std::move(row));
  std::vector<const RecordedStep*> whole;  // as bench_steps goes through them
  for (const BenchStep& bench : steps) {
    if (chosen(o.ops, kStep)) whole.push_back(&bench.step);
    if (bench.inference) whole.push_back(&*bench.inference);
  }
  const std::vector<Variant> variants = variants_of(o, true);
  answer_questions({.open = [&](std::size_t variant) { return opened(o, variants.at(variant)); },
                    .row = [&](std::size_t row) -> const Call& { return rows.at(row).call; },
                    .steps =
                        [&](std::size_t variant, std::size_t step, bool captured) {
                          return prepare_step_turns(*whole.at(step),
                                                    closed(o, variants.at(variant)), o.measure,
                                                    captured);
                        },
                    .options = o.measure});
}

/// What the devices do at best, of every backend that is asked for. Throws `Error` when nothing
/// could be measured.
void show_ceilings(const BenchOptions& o, const OutputFolder* out) {
  std::vector<Ceiling> ceilings;
  auto peaks = nlohmann::ordered_json::object();
  for (const Variant& variant : o.variants()) {
    const auto device = o.open(variant, true);
    o.measure_ceilings(*device, ceilings);
    peaks[device->name()] = peaks_json(peaks_of(ceilings, device->name()));
  }
  const nlohmann::ordered_json json = {{"format", 1},
                                       {"program", "glia bench --ceilings"},
                                       {"environment", describe_environment()},
                                       {"ceilings", ceilings_json(ceilings)},
                                       {"peaks", peaks}};
  fmt::print("{}", o.json ? json.dump(1) + "\n" : ceilings_text(ceilings));
  if (out != nullptr)
    out->write([&] {
      write_file_atomically(out->path() / kCeilingsFile, json.dump(1) + "\n", out->if_there());
    });
  const bool any = std::any_of(ceilings.begin(), ceilings.end(),
                               [](const Ceiling& c) { return c.problem.empty(); });
  check(any, "bench: nothing was measured; {}", ceilings.back().problem);
}

/// Throws `Error` where something takes longer than --fail-above leaves it.
void show_comparison(const BenchOptions& o) {
  const double share = o.fail_above.empty() ? 0 : o.share_to_fail();
  std::vector<BenchFile> files;
  for (const std::string& path : o.compare) files.push_back(read_bench_file(path));
  const Comparison comparison = compare(files);
  print_now(o.json ? comparison_json(comparison).dump(1) + "\n" : comparison_text(comparison));
  if (o.fail_above.empty()) return;
  const std::vector<std::string> slower = slower_by(comparison, share);
  check(slower.empty(), "bench: {} of {} take more than {} longer than in {}: {}", slower.size(),
        comparison.items.size(), o.fail_above, comparison.files[0], first_few(slower));
}

/// A table of problems and nothing else is a failure.
void check_timed(const Report& report) {
  std::string problem;
  for (const StepResult& result : report.steps)
    for (const StepMeasurement& m : result.measurements)
      if (m.seconds.empty() && !m.problem.empty())
        problem = m.problem;
      else
        return;
  for (const KernelResult& result : report.kernels)
    for (const Measurement& m : result.measurements)
      if (m.warm.empty() && !m.problem.empty())
        problem = m.problem;
      else
        return;
  check(problem.empty(), "bench: nothing was timed; {}", problem);
}

/// Compiles the source of --plugin FILE.cu, where it is one, and takes the library for it.
std::unique_ptr<BuiltPlugin> build_plugin(BenchOptions& o) {
  if (!o.plugin_is_source()) return {};
  const KernelInfo& kernel = kernel_of_name(o.as);
  const bool emulated = chosen(o.backends, "emu");
  if (!emulated) check_has_gpu(o.device.plugin, o.as, o.device.device);
  if (!emulated && o.device.device == "auto") o.device.device = "cuda";
  o.choose_beside(kernel);
  std::unique_ptr<BuiltPlugin> built;
  if (o.plugin_worker.empty()) {
    catch_interrupts();
    built = std::make_unique<BuiltPlugin>(o.device.plugin, kernel, emulated);
    fmt::print("compiled {} as {}\n", o.device.plugin, o.as);
  }
  o.device.plugin = built ? built->library() : o.plugin_worker;
  return built;
}

void run_bench(BenchOptions& o) {
  o.check_combination();
  if (o.list) return print_now(operation_list());
  std::optional<OutputFolder> out;
  if (!o.out.empty() && o.plugin_worker.empty()) {
    out.emplace(o.out, std::vector<CommandInput>{}, o.overwrite);
    out->take(o.ceilings ? std::vector<std::string>{kCeilingsFile} : report_names());
  }
  if (o.ceilings) return show_ceilings(o, out ? &*out : nullptr);
  if (!o.compare.empty()) return show_comparison(o);
  const std::string plugin = o.device.plugin;
  const std::unique_ptr<BuiltPlugin> built = build_plugin(o);
  o.unet.up = parse_up(o.up);
  o.choose_samples();
  o.measure.cold = !o.no_cold;
  o.measure.check = !o.no_check;
  const bool of_cases = o.of_cases();
  const std::vector<Row> rows = of_cases ? record_cases(o) : std::vector<Row>();
  const std::vector<BenchStep> steps = of_cases ? std::vector<BenchStep>() : record_steps(o);
  if (!o.plugin_worker.empty()) return work_for_plugin(o, rows, steps);
  check(o.peers.empty() || of_cases || !only_whole(o),
        "--peer is of rows and knows no {}; benchmarks/beside and the GPU kit time whole steps "
        "beside PyTorch's",
        fmt::join(o.ops, ", "));
  PeerWorkers peers = peer_workers(o);
  Report report = start_report(o);
  meet(peers, report);
  if (built) report.settings["plugin"] = plugin;
  print_machine(report, o);
  catch_interrupts();
  if (of_cases) {
    Contestants contestants = open_all(o, std::move(peers));
    bench_rows(o, rows, nullptr, contestants, report);
  } else {
    if (!o.peers.empty() && o.phases.empty() && chosen(o.ops, kStep))
      print_note("whole steps are of our backends alone; --peer stands in the rows");
    if (o.phases.empty()) bench_steps(o, steps, report);
    if (!only_whole(o)) bench_kernels(o, steps, std::move(peers), report);
  }
  if (out) {
    out->write([&] { write_report(report, o.out, out->if_there()); });
    fmt::print("written to {}\n", o.out);
  }
  if (interrupted()) throw CLI::RuntimeError(130);
  check_timed(report);
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "bench", "Times the kernels of a training step, or at any shape, the step, and inference");
  auto options = std::make_shared<BenchOptions>();
  options->add_to(*command);
  command->footer(
      "Example:\n"
      "  glia bench --device cpu --out bench\n"
      "  glia bench --base-width 32,64 --batch-size 6,12 --op conv2d --phase dgrad,wgrad\n"
      "  glia bench --op inference --batch-size 1,64\n"
      "  glia bench --op conv2d --shape 6x57x61x33 --kernel 3x3x48 --stride 2\n"
      "  glia bench --op dice_loss,iou_loss --shape 6x240x240x1\n"
      "  glia bench --case conv2d.windows,relu\n"
      "  glia bench --op relu --shape 6x240x240x32 --plugin my.so\n"
      "  glia bench --op conv2d --peer torch,torch-nchw\n"
      "  glia bench --ceilings --json\n"
      "  glia bench --compare old/bench.json new/bench.json --fail-above 5%\n"
      "glia bench --list shows every operation, kernel and group of cases.\n"
      "docs/benchmarks.md explains the columns.");
  command->callback([options] { run_bench(*options); });
}

}  // namespace glia
