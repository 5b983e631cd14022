// glia train: trains a network on slices, or continues a run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "apps/commands.h"
#include "apps/flags/model_options.h"
#include "apps/runs/environment.h"
#include "apps/runs/processes.h"
#include "apps/training/train_run.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "models/registry.h"

namespace glia {

namespace {

struct TrainOptions : TrainSettings {
  std::string data, split, train_list, val_list, out, resume;
  std::string normalize = "none", augment = "none";
  std::string region = "batch", optimizer = "adam", schedule = "constant";
  ModelOptions model;
  TrainConfig train;
};

/// The flags that --resume may come with.
constexpr std::array kWithResume = {
    "resume", "data",  "epochs",   "threads", "loader-threads", "device",   "backend",
    "memory", "ranks", "resident", "trace",   "tensorboard",    "check-nan"};

bool may_change(const CLI::Option& option) {
  return std::any_of(kWithResume.begin(), kWithResume.end(),
                     [&](const char* name) { return option.check_lname(name); });
}

std::string flags_with_resume() {
  std::string list;
  for (const char* name : std::span(kWithResume).subspan(1))
    list += fmt::format("{}--{}",
                        list.empty()                 ? ""
                        : name == kWithResume.back() ? " and "
                                                     : ", ",
                        name);
  return list;
}

/// Settings that were given and that the others leave without effect, a warning each.
std::vector<std::string> idle_settings(const TrainConfig& config, const CLI::App& command) {
  using Schedule = optim::ScheduleKind;
  const optim::Kind kind = config.optimizer.kind;
  const Schedule schedule = config.schedule.kind;
  const bool region =
      config.loss.find("iou") != std::string::npos || config.loss.find("dice") != std::string::npos;
  const struct {
    const char *flag, *needs;
    bool used;
  } settings[] = {
      {"--momentum", "--optimizer sgd", kind == optim::Kind::sgd},
      {"--schedule-factor", "--schedule step or plateau",
       schedule == Schedule::step || schedule == Schedule::plateau},
      {"--schedule-every", "--schedule step", schedule == Schedule::step},
      {"--schedule-patience", "--schedule plateau", schedule == Schedule::plateau},
      {"--schedule-minimum", "--schedule cosine or plateau",
       schedule == Schedule::cosine || schedule == Schedule::plateau},
      {"--region", "iou or dice in --loss", region},
      {"--smooth", "iou or dice in --loss", region},
  };
  std::vector<std::string> warnings;
  for (const auto& setting : settings)
    if (!setting.used && command.count(setting.flag) > 0)
      warnings.push_back(fmt::format("{} has no effect without {}", setting.flag, setting.needs));
  return warnings;
}

void start(TrainOptions& o, const CLI::App& command) {
  check(!o.data.empty() && !o.out.empty(), "train: needs --data and --out, or --resume RUN");
  TrainConfig& config = o.train;
  config.region = parse_region(o.region);
  config.optimizer.kind = optim::parse_kind(o.optimizer);
  config.schedule.kind = optim::parse_schedule(o.schedule);
  config.augment = AugmentConfig::parse(o.augment);
  config.conv = o.device.request.conv;
  config.validate();
  const RunInputs inputs = RunInputs::load(o.data, o.split, o.train_list, o.val_list);
  const nlohmann::json model = o.model.config(command, inputs.channels()).to_json();
  const Preprocess preprocess = Preprocess::fit(parse_normalize(o.normalize), inputs.train);
  RunFolder folder(o.out);
  const auto begin = [&](Trainer& trainer) {
    const std::string hashes = inputs.hash_files();
    trainer.note(kFilesHash, hash_text(hashes));
    folder.begin();
    try {
      inputs.save(folder, hashes);
      folder.write_json("config.json",
                        {{"data", o.data}, {"model", model}, {"train", config.to_json()}});
      folder.write_json("environment.json", describe_environment());
      trainer.save_last();
    } catch (...) {
      folder.discard();
      throw;
    }
  };
  train(o,
        {folder, inputs, config, model, preprocess, begin, false, idle_settings(config, command)});
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
        option->count() == 0 || may_change(*option),
        "train: {} cannot be changed when resuming; the run's own settings hold. Leave it out, or "
        "start a new run",
        option->get_name());
  RunFolder folder(o.resume);
  if (o.processes == nullptr || o.processes->rank() == 0) folder.reopen();
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

void add_training_options(CLI::App& command, TrainOptions& o) {
  TrainConfig& t = o.train;
  command.add_option("--epochs", t.epochs, "Passes over the training slices")
      ->capture_default_str();
  command
      .add_option("--max-steps", t.max_steps,
                  "Steps of the whole run, if fewer than those of --epochs; 0: no limit")
      ->capture_default_str();
  command.add_option("--batch-size", t.batch_size, "Slices a step")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      .add_option(
          "--shards", t.shards,
          "Equal parts of a batch whose sums are added up in one order, so that results have "
          "the same bits on 1, 2, 4 ... ranks; one rank takes them in turn, in the memory of "
          "one (not with --norm batch). 0: one a rank")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command.add_option("--loss", t.loss, "iou (-log IoU), bce, dice, or a sum such as iou+0.5*bce")
      ->capture_default_str();
  command
      .add_option("--region", o.region, "iou and dice over the batch, or the mean over each image")
      ->check(CLI::IsMember({"batch", "image"}))
      ->capture_default_str();
  command.add_option("--smooth", t.smooth, "Added above and below in iou and dice")
      ->capture_default_str();
  command.add_option("--optimizer", o.optimizer, "adam, adamw, sgd or rmsprop")
      ->capture_default_str();
  command
      .add_option("--learning-rate", t.schedule.initial,
                  "At the start, whatever the optimizer; sgd usually wants more, such as 0.01")
      ->capture_default_str();
  command.add_option("--weight-decay", t.optimizer.weight_decay, "Decoupled for adamw, else L2")
      ->capture_default_str();
  command.add_option("--momentum", t.optimizer.momentum, "Of sgd")->capture_default_str();
  command.add_flag("--nesterov", t.optimizer.nesterov,
                   "Of sgd: step along the momentum that the next step will have");
  command.add_option("--schedule", o.schedule, "constant, step, cosine or plateau")
      ->capture_default_str();
  command.add_option("--schedule-factor", t.schedule.factor, "Of step and plateau")
      ->capture_default_str();
  command.add_option("--schedule-every", t.schedule.every, "Epochs between reductions (step)")
      ->capture_default_str();
  command
      .add_option("--schedule-patience", t.schedule.patience,
                  "Epochs in a row without a better validation loss that are waited for; the next "
                  "one reduces the rate (plateau)")
      ->capture_default_str();
  command.add_option("--schedule-minimum", t.schedule.minimum, "Lowest rate (cosine, plateau)")
      ->capture_default_str();
  command
      .add_option("--augment", o.augment,
                  "none, or some of noise=0.05, brightness=0.1, flip, flip-vertical, rotate=15, "
                  "scale=0.1, gamma=0.2, joined by commas without blanks")
      ->capture_default_str();
  command.add_option("--normalize", o.normalize, "none, slice or dataset (kept in the checkpoint)")
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--best-by", [&t](const std::string& text) { t.best_by = parse_best_by(text); },
          "Validation figure whose best epoch best.safetensors holds: the IoU over a batch, of "
          "probabilities (the seed's) or thresholded at 0.5, the Dice of the latter, or the loss")
      ->check(CLI::IsMember(best_by_names()))
      ->default_str(name_of(t.best_by));
  command.add_option("--seed", t.seed, "Of weights, order, augmentation and dropout")
      ->capture_default_str();
  command
      .add_option("--checkpoint-every", t.checkpoint_every,
                  "Steps between checkpoints; 0: at the end of epochs only")
      ->capture_default_str();
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto* command = app.add_subcommand("train", "Trains a network on slices, or continues a run");
  auto options = std::make_shared<TrainOptions>();
  command->add_option("--data", options->data,
                      "Folder with <id>_img.npy and <id>_seg.npy; with --resume, where the run's "
                      "files lie now, if they were moved");
  command->add_option("--split", options->split, "Folder that glia split wrote");
  command->add_option("--train-list", options->train_list, "Ids to train on, instead of --split");
  command->add_option("--val-list", options->val_list, "Ids to validate on, instead of --split");
  command->add_option("--out", options->out, "Folder of the run, new or empty");
  command->add_option("--resume", options->resume,
                      fmt::format("Continue the run in this folder; only {} may be given with it",
                                  flags_with_resume()));
  options->model.add_to(*command);
  add_training_options(*command, *options);
  options->device.add_to(*command);
  options->device.add_check_nan_to(*command);
  command->add_option("--loader-threads", options->loader_threads, "Threads that load slices ahead")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      ->add_option("--ranks", options->ranks,
                   "Share each batch among so many ranks, threads with a share of the cores each; "
                   "the gradient stays that of the whole batch (docs/scale.md)")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      ->add_option("--resident", options->resident,
                   "Keep all training slices on the GPU, which then makes the batches: auto where "
                   "there is room, on or off (the same bits)")
      ->check(CLI::IsMember(resident_names()))
      ->capture_default_str();
  command->add_flag("--eager", options->eager,
                    "Run a step kernel by kernel instead of as one CUDA graph (the same bits)");
  command->add_flag("--tensorboard", options->tensorboard,
                    "Also write an event file for TensorBoard into the run's folder");
  command->add_flag(
      "--trace", options->trace,
      "Print the time spent in each kernel at the end, and what each launches on a GPU");
  command->footer(
      "Example:\n"
      "  glia train --data slices --split split --out runs/first --epochs 5 --base-width 16\n"
      "  glia train --resume runs/first");
  command->callback([options, command] {
    run_process([&](Communicator* processes) {
      options->processes = processes;
      if (options->resume.empty())
        start(*options, *command);
      else
        resume(*options, *command);
    });
  });
}

}  // namespace glia
