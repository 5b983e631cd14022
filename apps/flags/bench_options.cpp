#include "apps/flags/bench_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "apps/flags/operation_list.h"
#include "apps/flags/overwrite.h"
#include "apps/flags/value_checks.h"
#include "benchmarks/suite/ceilings.h"
#include "engine/base/check.h"
#include "engine/base/streams.h"
#include "engine/runtime/plugin.h"
#include "engine/runtime/precisions.h"

namespace glia {

bool chosen(const std::vector<std::string>& choice, const std::string& name) {
  return choice.empty() || std::find(choice.begin(), choice.end(), name) != choice.end();
}

namespace {

constexpr int kMostSamples = 100000;

/// Those of `asked` that the backend has; auto is had by all.
std::vector<std::string> precisions_had_by(const std::string& backend,
                                           std::vector<std::string> asked) {
  for (const BuiltBackend& built : built_backends()) {
    if (built.name != backend) continue;
    const std::vector<ConvPrecision> able = precisions_of(*built.kernels);
    std::erase_if(asked, [&](const std::string& name) {
      const auto precision = parse_precision_choice(name);
      return precision && std::find(able.begin(), able.end(), *precision) == able.end();
    });
  }
  return asked;
}

/// Each of the first with each of the second.
std::vector<std::pair<std::string, std::string>> pairs_of(const std::vector<std::string>& first,
                                                          const std::vector<std::string>& second) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& a : first)
    for (const std::string& b : second) pairs.emplace_back(a, b);
  return pairs;
}

/// Our algorithms for GPUs that all of these precisions have.
std::vector<std::string> of_one_kind(const std::vector<std::string>& precisions) {
  const auto in_fp32 = std::count(precisions.begin(), precisions.end(), "fp32");
  if (in_fp32 == 0) return {"mma", "halo", "auto"};
  if (in_fp32 == static_cast<std::ptrdiff_t>(precisions.size())) return {"naive", "tiled", "auto"};
  return {"auto"};
}

}  // namespace

std::vector<Variant> BenchOptions::variants() const {
  const bool beside_ours = chosen(backends, "native");
  std::vector<Variant> variants;
  for (const std::string& backend : backends) {
    const bool beside = beside_ours && backend != "native";
    const std::vector<std::string> once{name_of(ConvMethod::automatic)};
    std::vector<std::string> these = precisions;
    if (beside) these = precisions_had_by(backend, precisions);
    if (these.empty()) these = {name_of(std::optional<ConvPrecision>())};
    for (const std::string& conv : beside ? once : convs)
      for (const auto& [precision, fuse] : pairs_of(these, fuses)) {
        std::vector<std::string> name;
        if (backends.size() > 1) name.push_back(backend);
        if (!beside && convs.size() > 1) name.push_back(conv);
        if (these.size() > 1) name.push_back(precision);
        if (fuses.size() > 1) name.push_back("fuse " + fuse);
        if (name.empty()) name.push_back(backend);
        variants.push_back(
            {fmt::format("{}", fmt::join(name, " ")), backend, conv, precision, fuse});
      }
  }
  if (!device.plugin.empty()) add_plugin_to(variants);
  return variants;
}

void BenchOptions::add_plugin_to(std::vector<Variant>& variants) const {
  const Plugin& plugin = load_plugin(device.plugin);
  const std::string backend = plugin.backend == "emu" ? "emu" : "native";
  check(chosen(backends, backend),
        "--plugin {}: its kernels are for {}, and --backend is {}; add {} to it", plugin.file,
        plugin.backend, fmt::join(backends, ","), backend);
  for (const auto& [precision, fuse] : pairs_of(precisions, fuses)) {
    std::vector<std::string> name{plugin.name};
    if (precisions.size() > 1) name.push_back(precision);
    if (fuses.size() > 1) name.push_back("fuse " + fuse);
    variants.push_back({fmt::format("{}", fmt::join(name, " ")), backend,
                        name_of(ConvMethod::automatic), precision, fuse, plugin.file});
  }
}

void BenchOptions::check_combination() const {
  check(!ceilings || (ops.empty() && phases.empty() && cases.empty() && !shape.given()),
        "--ceilings measures the machine and no kernel; leave it out, or --op, --phase, --case and "
        "--shape");
  check(!ceilings || device.plugin.empty(),
        "--ceilings measures the machine and no kernel; leave it out, or --plugin");
  check(!ceilings || !measure.once, "--ceilings and --profile-once: give one of them");
  check(peers.empty() || (!ceilings && compare.empty() && !measure.once),
        "--peer is of rows that are timed; leave it out, or --ceilings, --compare and "
        "--profile-once");
  check(!list || out.empty(), "--list prints and writes nothing; leave it out, or --out");
  check(!json || ceilings || !compare.empty(),
        "--json is of --ceilings and --compare; rows and steps go to bench.json with --out");
  check(fail_above.empty() || !compare.empty(),
        "--fail-above is of --compare OLD NEW; leave it out, or give the files");
  check(compare.empty() || (ops.empty() && phases.empty() && cases.empty() && !shape.given() &&
                            !ceilings && !list && out.empty()),
        "--compare reads files and times nothing; leave it out, or --op, --phase, --case, --shape, "
        "--ceilings, --list and --out");
}

bool BenchOptions::plugin_is_source() const {
  const bool source = device.plugin.ends_with(".cu");
  check(as.empty() || source, "--as is of --plugin FILE.cu; leave it out, or give such a file");
  check(!source || !as.empty(),
        "--plugin {}: say which kernel it is, such as --as conv2d.forward, or give a library",
        device.plugin);
  return source;
}

void BenchOptions::choose_beside(const KernelInfo& kernel) {
  if (ops.empty()) ops = {kernel.name};
  if (conv_option_->count() == 0 && std::string_view(kernel.op).starts_with("conv"))
    convs = of_one_kind(precisions);
  if (backend_option_->count() > 0) return;
  for (const BuiltBackend& built : built_backends())
    if (built.name == std::string_view("cudnn")) backends.emplace_back(built.name);
}

void BenchOptions::choose_samples() {
  measure.until_sure = samples == "auto";
  measure.samples = measure.until_sure ? kMostSamples : std::stoi(samples);
}

double BenchOptions::share_to_fail() const {
  const char* begin = fail_above.c_str();
  char* end = nullptr;
  const double percent = std::strtod(begin, &end);
  check(end != begin && std::string_view(end) == "%" && percent >= 0 && std::isfinite(percent),
        "--fail-above: found '{}', expected a percentage such as 5%", fail_above);
  return percent / 100;
}

std::unique_ptr<Device> BenchOptions::open(const Variant& variant, bool quiet,
                                           bool single_calls) const {
  DeviceRequest request = device;
  request.single_calls = single_calls;
  request.backend = variant.backend;
  request.plugin = variant.plugin;
  request.conv = parse_conv(variant.conv);
  request.precision = parse_precision_choice(variant.precision);
  request.fuse = parse_fuse(variant.fuse);
  if (variant.backend == "native") request.memory = parse_memory(memory);
  return open_device(request, [quiet](const std::string& line) {
    if (!quiet) print_note(line);
  });
}

void BenchOptions::measure_ceilings(Device& on, std::vector<bench::Ceiling>& found) const {
  const auto copy_bytes = static_cast<std::size_t>(copy_mib) << 20;
  bench::measure_ceilings(on, bench::ceiling_options(on, flush_bytes(), copy_bytes), found);
}

bool BenchOptions::of_cases() const {
  check(!shape.given() || cases.empty(),
        "--shape and --case: give one of them; a case has a shape of its own");
  check(!shape.given() || !ops.empty(), "--shape needs an --op, one or more of {}",
        fmt::join(operation_names(), ", "));
  const bool found = shape.given() || !cases.empty();
  for (const CLI::Option* option : of_step_)
    check(!found || option->count() == 0,
          "{} is for the rows of a training step, which {} stands in for; leave one of them out",
          option->get_name(), shape.given() ? "--shape" : "--case");
  return found;
}

void BenchOptions::add_to(CLI::App& command) {
  add_choices(command);
  add_step(command);
  add_measure(command);
  add_results(command);
}

void BenchOptions::add_choices(CLI::App& command) {
  command.add_option("--device", device.device, "Where to compute: cpu, cuda, cuda:i, or auto")
      ->capture_default_str();
  backend_option_ =
      command
          .add_option("--backend", backends,
                      "Whose kernels, side by side: a list of native, emu (and in builds that have "
                      "it onednn, "
                      "onednn-blocked, which is its convolutions in its own layouts, or cudnn)")
          ->delimiter(',')
          ->capture_default_str();
  conv_option_ =
      command
          .add_option(
              "--conv", convs,
              "How our kernels convolve, side by side: a list of auto, on the CPU direct and "
              "winograd, on a GPU and with --backend emu naive, tiled, mma and halo")
          ->delimiter(',')
          ->check(CLI::IsMember(conv_names()))
          ->capture_default_str();
  command
      .add_option("--precision", precisions,
                  "In what convolutions multiply, side by side: a list of fp32, tf32 (on a GPU), "
                  "bf16 and auto (the device's default)")
      ->delimiter(',')
      ->check(CLI::IsMember(precision_choices()))
      ->capture_default_str();
  command
      .add_option("--fuse", fuses,
                  "How far passes over memory are fused, side by side: a list of none (a pass an "
                  "operation), s1 (norm, ReLU and pooling in one), s2 (convolutions also take the "
                  "moments of what they write), s3 (and normalise what they read, where they can: "
                  "bf16 on a GPU) and auto (s2 on a GPU, all on the CPU); for whole steps, --op "
                  "train_step")
      ->delimiter(',')
      ->check(CLI::IsMember(fuse_names()))
      ->capture_default_str();
  command.add_option("--plugin", device.plugin,
                     "A shared library with kernels of yours, which stand beside ours in each row, "
                     "or a .cu file that is compiled first (docs/your-kernel.md)");
  command.add_option("--as", as, "With --plugin FILE.cu: the kernel that it is, conv2d.forward");
  command.add_option("--plugin-worker", plugin_worker)->group("");  // for this program itself
  command
      .add_option("--peer", peers,
                  "Another program beside ours in each row, a list: torch (PyTorch's operators, on "
                  "tensors channels last as ours are), torch-nchw (channels first), or the file of "
                  "one that answers the same questions (docs/benchmarks.md)")
      ->delimiter(',');
  command.add_option("--python", python, "The Python that has PyTorch, of --peer")
      ->capture_default_str();
  command.add_option("--threads", device.threads, "CPU threads; 0 takes every core")
      ->capture_default_str();
  command
      .add_option("--op", ops,
                  fmt::format("Only these, a list: train_step (the whole step), inference (the "
                              "probabilities of a batch), or operations and single kernels that "
                              "--list shows. With --shape any of {}",
                              fmt::join(operation_names(), ", ")))
      ->delimiter(',');
  command
      .add_option("--phase", phases, "Only these: forward, backward, dgrad, wgrad, update; a list")
      ->delimiter(',')
      ->check(CLI::IsMember({"forward", "backward", "dgrad", "wgrad", "update"}));
  shape.add_to(command);
  command
      .add_option("--case", cases,
                  "Time the kernels of these cases of the tests and not those of a training step: "
                  "a list of single ones such as conv2d.windows.3, groups such as conv2d.windows, "
                  "and operations")
      ->delimiter(',');
  command.add_flag("--list", list,
                   "Show every operation with its kernels and who has them, and the groups of "
                   "cases, and time nothing");
}

void BenchOptions::add_step(CLI::App& command) {
  const auto add = [&](CLI::Option* option) {
    of_step_.push_back(option);
    return option->capture_default_str();
  };
  add(command.add_option(
          "--memory", memory,
          "What the native kernels of the CPU keep of a step: auto, fast or lean; with a "
          "backend beside them that cannot do either, rows are those of a pass an operation"))
      ->check(CLI::IsMember(memory_names()));
  add(command.add_option("--base-width", base_widths, "Channels of the first level; a list"))
      ->delimiter(',');
  add(command.add_option("--batch-size", batch_sizes, "Images a step; a list"))->delimiter(',');
  add(command.add_option("--size", size, "Height and width of the images"));
  add(command.add_option("--depth", unet.depth, "Number of halvings"));
  add(command.add_option("--up", up, "How the decoder doubles the image: transpose or upsample"));
}

void BenchOptions::add_measure(CLI::App& command) {
  command
      .add_option("--samples", samples,
                  "Samples of each row; auto: until each median is known to 1 %, with a confidence "
                  "of 99 %, or --row-seconds are over")
      ->check(number_or_auto(1, kMostSamples))
      ->capture_default_str();
  command
      .add_option("--row-seconds", measure.seconds,
                  "Stop sampling a row after this time, but never before three samples; a whole "
                  "step gets 15 times as long")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_flag("--check-nan", device.check_nan,
                   "Look at what every kernel writes, and end a row at the first value that is not "
                   "finite; times then mean nothing");
  command.add_flag("--no-cold", no_cold, "Leave out the samples with cold caches");
  command.add_flag("--no-check", no_check, "Leave out errors and repeatability");
  command
      .add_option("--flush-mib", flush_mib,
                  "Memory read before a cold sample: more than all caches")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command
      .add_option("--peak-gflops", peak_gflops,
                  "Peak rate of float32 arithmetic in place of the one that is measured; 0: that")
      ->capture_default_str();
  command
      .add_option("--peak-gbytes", peak_gbytes,
                  "Bandwidth of memory in place of the one that is measured; 0: that")
      ->capture_default_str();
  command
      .add_option("--copy-mib", copy_mib,
                  "Block that is copied to measure the bandwidth: more than all caches; 0: 1024 on "
                  "a GPU, --flush-mib on a CPU, 1 on the emulator")
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  command.add_flag("--ceilings", ceilings,
                   "Measure only what the devices do at best: copies, and arithmetic in fp32, tf32 "
                   "and bf16");
  command.add_flag("--profile-once", measure.once,
                   "Run every kernel of the rows exactly once and nothing else, under a profiler");
}

void BenchOptions::add_results(CLI::App& command) {
  command.add_option("--out", out,
                     "Folder for bench.json, bench.csv and roofline.svg, or for ceilings.json");
  command.add_flag("--json", json, "Print the ceilings, or the comparison, as JSON");
  command
      .add_option("--compare", compare,
                  "Set files bench.json of earlier runs side by side, each against the first, and "
                  "time nothing: two or more")
      ->expected(2, 1000)
      ->check(CLI::ExistingFile);
  command.add_option(
      "--fail-above", fail_above,
      "With --compare: status 1 where anything takes longer than in the first file "
      "by more than this percentage, such as 5%, beyond what its samples leave open");
  command.add_flag(kOverwrite, overwrite, kOverwriteHelp);
}

}  // namespace glia
