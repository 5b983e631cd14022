// glia plan: the memory of a training step, tensor by tensor, before anything runs.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/flags/model_options.h"
#include "apps/runs/step_memory.h"
#include "apps/terminal/plan_table.h"
#include "engine/base/bytes.h"
#include "engine/runtime/open_device.h"
#include "models/registry.h"

namespace glia {

namespace {

struct PlanOptions {
  ModelOptions model;
  std::int64_t batch_size = 6, size = 240, channels = 3, slices = 0;
  int ranks = 1;
  std::int64_t shards = 0;
  std::string optimizer = "adam", loss = "iou", device = "cpu", conv = "auto", memory = "auto",
              precision = name_of(std::optional<ConvPrecision>());
  int threads = 0;
  double available = 0, least = 1;
  bool json = false;
};

constexpr double kMib = 1 << 20;

/// Bytes of this process that lie in memory now: the program before it trains.
std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  check(static_cast<bool>(file), "/proc/self/statm: cannot be read; is /proc mounted?");
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// What the flag says, or else what the system can give to a new program.
MemoryLimit room_of(const PlanOptions& o) {
  if (o.available > 0) {
    const auto bytes = static_cast<std::size_t>(o.available * kMib);
    return {.name = "--available-mib", .total = bytes, .free = bytes, .device = true};
  }
  const auto room = least_memory();
  check(room.has_value(),
        "/proc/meminfo: found no MemAvailable; say how much there is with --available-mib");
  return *room;
}

/// The CPU is opened, so that what it refuses is refused here too; a GPU need not be there.
PlanTarget target_of(const PlanOptions& o) {
  check(o.device != "cpu" || o.precision != "tf32",
        "--precision tf32 is for GPUs; pass --device cuda with it, or choose --precision fp32");
  if (o.device == "cpu")
    return PlanTarget::of(*open_device({.device = o.device,
                                        .threads = o.threads,
                                        .conv = parse_conv(o.conv),
                                        .memory = parse_memory(o.memory),
                                        .precision = parse_precision_choice(o.precision)}));
  check(o.conv == "auto" && o.memory == "auto",
        "--conv and --memory are the CPU's; leave them out with --device {}", o.device);
  return PlanTarget::gpu(parse_precision_choice(o.precision));
}

/// How the ranks share a batch. A batch norm looks at all images in each layer, so that its shards
/// are computed by as many ranks.
void share(const PlanOptions& o, const nlohmann::json& model, StepShape& shape) {
  shape.ranks = o.ranks;
  shape.shards = o.shards > 0 ? o.shards : o.ranks;
  if (shape.shards % shape.ranks == 0 &&
      model.value("norm", "") == nn::name_of(nn::NormKind::batch))
    shape.ranks = shape.shards;
}

void run(const PlanOptions& o, const CLI::App& command) {
  const nlohmann::json config = o.model.config(command, o.channels).to_json();
  const ModelFactory make = [&] { return make_model(config); };
  const std::int64_t multiple = make()->size_multiple();
  check(o.size % multiple == 0,
        "--size: found {}, expected a multiple of {}: the network halves images {} times", o.size,
        multiple, config["depth"].dump());
  StepShape shape{.batch_size = o.batch_size,
                  .height = o.size,
                  .width = o.size,
                  .optimizer = {},
                  .objective = Objective::parse(o.loss, Region::batch, 1)};
  shape.optimizer.kind = optim::parse_kind(o.optimizer);
  share(o, config, shape);
  PlanTarget target = target_of(o);
  target.threads = std::max(1, target.threads / static_cast<int>(shape.ranks));
  check(o.slices == 0 || !target.cpu,
        "--slices: the CPU reads slices as they are needed; leave it out, or pass --device cuda");
  const std::size_t program = resident_bytes();
  const auto ranks = static_cast<std::size_t>(shape.ranks);
  const std::size_t loaded =
      loader_bytes(shape, o.channels, LoaderThreads::automatic(static_cast<int>(shape.ranks)));
  const ProcessPlan plan{plan_step(make, shape, target),
                         program,
                         loaded * static_cast<std::size_t>(o.batch_size) / ranks,
                         ResidentSlices::bytes(o.slices, o.size, o.size, o.channels),
                         ranks,
                         static_cast<std::size_t>(shape.shards / shape.ranks)};
  if (o.json) return fmt::print("{}\n", to_json(plan).dump(1));
  fmt::print("{}\n{}", tensor_table(plan.step, static_cast<std::size_t>(o.least * kMib)),
             memory_summary(plan));
  if (!target.cpu) {
    fmt::print("What kernels of a GPU take besides is not counted.\n");
    if (o.available == 0) return;
  }
  const MemoryLimit room = room_of(o);
  // On the CPU the loader's batches and the program share the memory with the step.
  const std::size_t beside = target.cpu ? plan.program : plan.resident;
  // Ranks of one process share its memory; a GPU is one rank's.
  const std::size_t left = room.free > beside ? room.free - beside : 0;
  const std::int64_t batch =
      largest_batch(make, shape, target, target.cpu ? left / ranks : left, target.cpu ? loaded : 0);
  if (plan.resident > 0 && batch < o.batch_size)
    fmt::print(
        "{} slices take {:.0f} MiB of it; with --resident off they come batch by batch: leave "
        "--slices out\n",
        o.slices, mib(plan.resident));
  if (batch == 0)
    return fmt::print("{} do not hold {}; take a smaller --base-width\n", free_text(room),
                      shape.shards == 1 ? "one image" : "one image a shard");
  fmt::print("{} hold at most --batch-size {}{}\n", free_text(room), batch,
             batch < o.batch_size ? fmt::format("; {} do not fit", o.batch_size) : "");
}

}  // namespace

void add_plan_command(CLI::App& app) {
  auto* command = app.add_subcommand("plan", "Shows the memory of a training step, before it runs");
  auto o = std::make_shared<PlanOptions>();
  command->add_option("--batch-size,--batch", o->batch_size, "Slices a step")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--ranks", o->ranks,
                   "Ranks that share the batch (docs/scale.md); the tables are those of one")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      ->add_option("--shards", o->shards,
                   "Equal parts of a batch, which a rank takes in turn, or with --norm batch as "
                   "many ranks side by side; 0: one a rank")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command->add_option("--size", o->size, "Height and width of the images")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--channels", o->channels, "Of the images")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option(
          "--slices", o->slices,
          "Slices, of training and validation, that lie on the GPU beside the step (glia train "
          "--resident); 0: none")
      ->check(CLI::Range(0, 100000000))
      ->capture_default_str();
  o->model.add_to(*command);
  command->add_option("--optimizer", o->optimizer, "adam, adamw, sgd or rmsprop")
      ->capture_default_str();
  command->add_option("--loss", o->loss, "iou (-log IoU), bce, dice, or a sum such as iou+0.5*bce")
      ->capture_default_str();
  command->add_option("--device", o->device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command
      ->add_option("--threads", o->threads, "CPU threads, each with scratch memory; 0: every core")
      ->capture_default_str();
  command->add_option("--conv", o->conv, "How the CPU convolves; see glia train --help")
      ->check(CLI::IsMember(conv_names()))
      ->capture_default_str();
  command->add_option("--memory", o->memory, "What the CPU keeps; see glia train --help")
      ->check(CLI::IsMember(memory_names()))
      ->capture_default_str();
  command->add_option("--precision", o->precision, "Of convolutions; see glia train --help")
      ->check(CLI::IsMember(precision_choices()))
      ->capture_default_str();
  command
      ->add_option("--available-mib", o->available,
                   "Memory for which to find the largest batch; 0: what is free here, by the "
                   "machine, its control groups and ulimit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--least-mib", o->least, "Tensors below this share a row")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--json", o->json, "Print JSON with every tensor instead of tables");
  command->footer(
      "Example:\n"
      "  glia plan --batch 12 --base-width 32\n"
      "  glia plan --batch 6 --memory fast --available-mib 2000\n"
      "  glia plan --batch 64 --norm group --shards 16");
  command->callback([o, command] { run(*o, *command); });
}

}  // namespace glia
