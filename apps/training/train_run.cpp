#include "apps/training/train_run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/runs/environment.h"
#include "apps/runs/processes.h"
#include "apps/runs/rank_threads.h"
#include "apps/runs/step_memory.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/training_reporter.h"
#include "engine/base/shell_word.h"
#include "engine/nn/layers.h"
#include "engine/runtime/precisions.h"
#include "engine/runtime/trace.h"
#include "models/registry.h"

namespace glia {

namespace {

/// Kernels by their names in the table, and on a GPU what they launch.
void print(const Trace& trace) {
  const std::vector<TraceEntry> entries = trace.entries();
  const LaunchCounts launched = launched_by(entries);
  const auto row = [&](std::string_view kernel, std::string_view computed, const auto& calls,
                       const auto& launches, const std::string& seconds) {
    fmt::print("{:<28} {:<17} {:>7} {:>10}", kernel, computed, calls, seconds);
    if (!launched.empty()) fmt::print(" {:>8}", launches);
    fmt::print("\n");
  };
  row("kernel", "computed", "calls", "launches", "seconds");
  for (const TraceEntry& entry : entries)
    row(entry.kernel, entry.algorithm, entry.calls, entry.launches(),
        fmt::format("{:.3f}", entry.seconds));
  if (launched.empty()) return;
  fmt::print("\n{:<46} {:>7}\n", "launched", "times");
  for (const auto& [name, count] : launched) fmt::print("{:<46} {:>7}\n", name, count);
}

/// The flags of the device, where they are not the default: a resumed run needs them again.
std::string where_it_ran(const DeviceOptions& device) {
  const DeviceRequest defaults;
  std::string flags;
  if (device.request.device != defaults.device) flags += " --device " + device.request.device;
  if (device.request.backend != defaults.backend) flags += " --backend " + device.request.backend;
  return flags;
}

/// Of a run that goes on and has come to its end before.
std::string nothing_to_do(const TrainConfig& config, const std::vector<MetricsRow>& rows) {
  const auto done = std::ssize(rows);
  return done < config.epochs
             ? fmt::format("nothing to do: the run's --max-steps {} are done; more need a new run",
                           config.max_steps)
             : fmt::format(
                   "nothing to do: {} of {} epochs are done; to go on, pass --epochs {} or "
                   "more",
                   done, config.epochs, done + 1);
}

/// The device of a rank, which has its share of the cores; one says which it took. A resumed run
/// keeps its own precision.
std::unique_ptr<Device> open(const TrainOptions& o, const Run& run, Communicator* ranks) {
  DeviceOptions options = o.device;
  const auto join = [&] {
    auto device =
        ranks != nullptr && ranks->rank() > 0 ? open_device(options.request) : options.open();
    device->join(ranks);
    return device;
  };
  if (o.processes != nullptr)
    options.request.threads = threads_of_process(o.device.request.threads);
  else if (ranks != nullptr)
    options.request.threads =
        std::max(1, resolve_threads(o.device.request.threads) / ranks->size());
  if (!run.resumed) return join();
  options.request.precision = run.config.precision;
  try {
    return join();
  } catch (const UnsupportedPrecision& error) {
    fail("{}: the run is one of --precision {}, which {}; resume it with {}, or start a new run",
         run.folder.path().string(), name_of(run.config.precision), error.why(), error.elsewhere());
  }
}

/// What lies on the device; none of what comes batch by batch.
struct KeptSlices {
  ResidentSlices train, val;

  /// ", training and validation slices on the device"
  std::string str() const {
    if (!train.defined()) return {};
    return fmt::format(", training {}slices on the device", val.defined() ? "and validation " : "");
  }
};

/// The training slices, where they are wanted there and fit, and then those of validation where
/// they fit too.
KeptSlices keep_slices(const TrainOptions& o, const Run& run, const StepMemory& memory,
                       Device& device, std::vector<std::string>& notes) {
  const Resident wanted = parse_resident(o.resident);
  const std::vector<Sample>&train = run.inputs.train, &val = run.inputs.val;
  const std::size_t bytes = ResidentSlices::bytes(train);
  KeptSlices kept;
  if (!memory.keeps(wanted, device, train.size(), bytes)) return kept;
  const auto load = [&](const char* which, const std::vector<Sample>& samples) -> ResidentSlices {
    try {
      return load_resident(device, samples, run.preprocess, o.loader(device.ranks()));
    } catch (const OutOfMemory& error) {
      check(wanted == Resident::automatic || &samples != &train,
            "--resident on: {}; leave it out, and slices come batch by batch", error.what());
      notes.push_back(fmt::format("{} slices come batch by batch, since {}", which, error.what()));
      return {};
    }
  };
  kept.train = load("training", train);
  if (kept.train.defined() && memory.keeps(Resident::automatic, device, train.size() + val.size(),
                                           bytes + ResidentSlices::bytes(val)))
    kept.val = load("validation", val);
  return kept;
}

/// Of all processes.
bool same_instructions(Communicator& ranks) {
  return is_same(ranks, describe_environment()["instruction set"].dump());
}

/// Trains with the first rank, which tells what happens and writes files, or the only one.
void train_first(const TrainOptions& o, const Run& run, Communicator* ranks) {
  const auto host = least_memory();
  const auto device = open(o, run, ranks);
  device->context().conv = run.config.conv;  // a resumed run's own
  run.config.precision = device->context().precision;
  const StepMemory memory(
      run.model, run.config, *device,
      {.slice = run.inputs.train.front(),
       .loader = o.loader(ranks),
       .host = host,
       .ranks_here = ranks != nullptr && o.processes == nullptr ? ranks->size() : 1});
  const std::string too_little = memory.check_fits();
  const auto trace = std::make_shared<Trace>();
  if (o.trace) device->watch(trace);
  const auto model = make_model(run.model);
  model->parameters().allocate(*device, run.config.seed);
  const Objective objective =
      Objective::parse(run.config.loss, run.config.region, run.config.smooth);
  TrainingReporter reporter(run.folder, {.epochs = run.config.epochs,
                                         .loss_name = objective.label(),
                                         .best_by = run.config.best_by,
                                         .settings = {{"model", run.model},
                                                      {"train", run.config.to_json()},
                                                      {"preprocess", run.preprocess.to_json()},
                                                      {"data", run.inputs.info}},
                                         .environment = describe_environment(),
                                         .tensorboard = o.tensorboard});
  std::vector<std::string> notes = run.notes;
  if (o.processes != nullptr && !same_instructions(*o.processes))
    notes.push_back(
        "the ranks' processors have other instruction sets: another one in their place "
        "may change the last bits");
  const KeptSlices slices = keep_slices(o, run, memory, *device, notes);
  Trainer trainer(*device, *model, run.config, run.inputs.train, run.inputs.val, run.preprocess,
                  run.folder, run.inputs.info,
                  {.loader_threads = o.loader(ranks),
                   .eager = o.eager,
                   .slices = slices.train,
                   .val_slices = slices.val},
                  reporter.events());
  catch_interrupts();
  run.begin(trainer);
  reporter.say(fmt::format(
      "{} parameters, {} training and {} validation slices, {}, convolutions in {}{}",
      model->parameters().count(), run.inputs.train.size(), run.inputs.val.size(),
      run.resumed ? "resumed" : "from scratch", name_of(run.config.precision), slices.str()));
  for (const std::string& note : notes) reporter.warn(note);
  if (!too_little.empty()) reporter.warn(too_little);
  if (run.inputs.info.value("leaking", false))
    reporter.warn("split by slice: slices of one patient may stand on both sides");
  if (trainer.is_done()) reporter.say(nothing_to_do(run.config, trainer.rows()));
  reporter.start(trainer.rows());
  bool finished = false;
  try {
    finished = trainer.run();
  } catch (const OutOfMemory& error) {
    fail("{}. {}. Checkpoints in {} are as they were", error.what(), memory.advice(),
         run.folder.path().string());
  }
  reporter.finish(finished);
  if (o.trace) print(*trace);
  if (!finished) {
    reporter.say(fmt::format("stopped; continue with: glia train --resume {}{}",
                             shell_word(run.folder.path().string()), where_it_ran(o.device)));
    throw CLI::RuntimeError(130);
  }
  fmt::print("written to {}\n", run.folder.path().string());
}

/// Another rank computes and says nothing.
void train_other(const TrainOptions& o, const Run& run, Communicator& ranks) {
  const auto device = open(o, run, &ranks);
  device->context().conv = run.config.conv;
  if (o.processes != nullptr) same_instructions(ranks);
  const auto model = make_model(run.model);
  model->parameters().allocate(*device, run.config.seed);
  Trainer trainer(*device, *model, run.config, run.inputs.train, run.inputs.val, run.preprocess,
                  run.folder, run.inputs.info,
                  {.loader_threads = o.loader(&ranks), .eager = o.eager}, {.stop = interrupted});
  catch_interrupts();
  if (run.resumed) run.begin(trainer);
  if (!trainer.run() && o.processes != nullptr) throw CLI::RuntimeError(130);
}

/// A batch norm looks at all images in every layer: its shards are computed side by side, as by as
/// many ranks.
int ranks_of(const TrainOptions& o, const Run& run) {
  const bool batch_norm = run.model.value("norm", "") == name_of(nn::NormKind::batch);
  const std::int64_t shards = run.config.shards;
  return batch_norm && shards % o.ranks == 0 ? std::max(o.ranks, static_cast<int>(shards))
                                             : o.ranks;
}

/// Every process must train the same network on the same slices in the same way.
void check_processes(const TrainOptions& o, const Run& run) {
  Communicator& ranks = *o.processes;
  check(o.ranks == 1,
        "--ranks {}: an MPI has started {} processes, which are the ranks; leave it out, or start "
        "the program by itself",
        o.ranks, ranks.size());
  const auto environment = describe_environment();
  check_same(ranks, environment["glia"].dump() + environment["compiler"].dump(),
             "its program is of another version or compiler than that of rank 0; start the same "
             "one everywhere");
  check_same(ranks, run.config.to_json().dump() + run.model.dump(),
             "its settings are other than those of rank 0; give the same flags everywhere");
  check_same(
      ranks, run.folder.path().lexically_normal().string(),
      "its folder is another than that of rank 0, which alone writes; give the same --out or "
      "--resume everywhere");
  check_same(ranks, run.inputs.hash_files(),
             "its slices are other than those of rank 0; give --data a folder that is the same "
             "everywhere");
}

}  // namespace

void train(const TrainOptions& o, const Run& run) {
  if (o.processes != nullptr) {
    check_processes(o, run);
    if (o.processes->rank() == 0) return train_first(o, run, o.processes);
    return train_other(o, run, *o.processes);
  }
  const TrainConfig config = run.config;
  run_ranks(ranks_of(o, run), [&](Communicator* ranks) {
    if (ranks == nullptr || ranks->rank() == 0) return train_first(o, run, ranks);
    TrainConfig own = config;
    train_other(o, {run.folder, run.inputs, own, run.model, run.preprocess, run.begin, run.resumed},
                *ranks);
  });
}

}  // namespace glia
