// glia train: trains a network on slices, or continues a run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "apps/commands.h"
#include "apps/flags/train_options.h"
#include "apps/runs/environment.h"
#include "apps/runs/output_folder.h"
#include "apps/runs/run_inputs.h"
#include "apps/runs/step_memory.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/training_reporter.h"
#include "engine/base/shell_word.h"
#include "engine/runtime/precisions.h"
#include "engine/runtime/trace.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/train/trainer.h"
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

/// What a run trains, whether it starts or goes on.
struct Run {
  RunFolder& folder;
  const RunInputs& inputs;
  TrainConfig& config;
  const nlohmann::json& model;
  const Preprocess& preprocess;
  /// Called once everything has been looked at that could be refused, before the first step.
  std::function<void(Trainer&)> begin;
  bool resumed = false;
  std::vector<std::string> notes = {};  // what a reader must know besides
};

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

/// A resumed run keeps its own precision.
std::unique_ptr<Device> open(const TrainOptions& o, const Run& run) {
  if (!run.resumed) return o.device.open();
  DeviceOptions options = o.device;
  options.request.precision = run.config.precision;
  try {
    return options.open();
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
      return load_resident(device, samples, run.preprocess, o.loader_threads);
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

void train(const TrainOptions& o, const Run& run) {
  const auto host = least_memory();
  const auto device = open(o, run);
  device->context().conv = run.config.conv;  // a resumed run's own
  run.config.precision = device->context().precision;
  const StepMemory memory(run.model, run.config, run.inputs.train.front(), *device, host);
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
  const KeptSlices slices = keep_slices(o, run, memory, *device, notes);
  Trainer trainer(*device, *model, run.config, run.inputs.train, run.inputs.val, run.preprocess,
                  run.folder, run.inputs.info,
                  {.loader_threads = o.loader_threads,
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

void start(TrainOptions& o, const CLI::App& command) {
  check(!o.data.empty() && !o.out.empty(), "train: needs --data and --out, or --resume RUN");
  o.read_settings();
  check_outside(o.out, o.data);
  const RunInputs inputs = RunInputs::load(o.data, o.split, o.train_list, o.val_list);
  const nlohmann::json model = o.model_for(command, inputs.train);
  const Preprocess preprocess = Preprocess::fit(parse_normalize(o.normalize), inputs.train);
  RunFolder folder(o.out);
  const auto begin = [&](Trainer& trainer) {
    const std::string hashes = inputs.hash_files();
    trainer.note(kFilesHash, hash_text(hashes));
    folder.begin();
    try {
      inputs.save(folder, hashes);
      folder.write_json("config.json",
                        {{"data", o.data}, {"model", model}, {"train", o.train.to_json()}});
      folder.write_json("environment.json", describe_environment());
      trainer.save_last();
    } catch (...) {
      folder.discard();
      throw;
    }
  };
  train(o, {folder, inputs, o.train, model, preprocess, begin, false,
            idle_settings(o.train, command)});
}

TrainConfig config_of(const Checkpoint& checkpoint) {
  const nlohmann::json::json_pointer place("/training/config");
  check(checkpoint.info.contains(place),
        "{}: holds no training state; --resume needs a last.safetensors", checkpoint.path.string());
  return TrainConfig::from_json(checkpoint.info.at(place),
                                checkpoint.path.string() + ": the run's settings");
}

/// What a run of an earlier version cannot tell; nothing for others.
std::vector<std::string> unchecked(const Checkpoint& checkpoint) {
  std::string what;
  if (!checkpoint.tensors.checked) what = "of its checkpoint";
  if (!checkpoint.info.contains(kFilesHash)) what += what.empty() ? "of its data" : " and data";
  if (what.empty()) return {};
  return {
      fmt::format("the run is of a version that kept no checksums {}: bytes that changed since go "
                  "unnoticed",
                  what)};
}

void resume(const TrainOptions& o, const CLI::App& command) {
  for (const CLI::Option* option : command.get_options())
    check(
        option->count() == 0 || goes_with_resume(*option),
        "train: {} cannot be changed when resuming; the run's own settings hold. Leave it out, or "
        "start a new run",
        option->get_name());
  RunFolder folder(o.resume);
  folder.reopen();
  const Checkpoint checkpoint = Checkpoint::open(folder.last());
  TrainConfig config = config_of(checkpoint);
  checkpoint.check_weights(
      *in_file(folder.last(), [&] { return make_model(checkpoint.info.at("model")); }));
  if (command.count("--epochs")) config.epochs = o.train.epochs;
  const RunInputs inputs = RunInputs::reload(folder, checkpoint.info, o.data);
  const Preprocess preprocess = checkpoint.preprocess();
  train(o, {folder, inputs, config, checkpoint.info["model"], preprocess,
            [&](Trainer& trainer) { trainer.resume(checkpoint); }, true, unchecked(checkpoint)});
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = options->add_to(app);
  command->callback([options, command] {
    if (options->resume.empty())
      start(*options, *command);
    else
      resume(*options, *command);
  });
}

}  // namespace glia
