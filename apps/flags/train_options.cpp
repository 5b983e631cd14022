#include "apps/flags/train_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "apps/flags/value_checks.h"
#include "engine/base/check.h"
#include "engine/formats/npy.h"
#include "engine/train/trainer.h"
#include "models/registry.h"

namespace glia {

namespace {

/// The flags that --resume may come with.
constexpr std::array kWithResume = {
    "resume", "data",  "epochs",   "threads", "loader-threads", "device",   "backend",
    "memory", "ranks", "resident", "trace",   "tensorboard",    "check-nan"};

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

CLI::App* TrainOptions::add_to(CLI::App& app) {
  auto* command = app.add_subcommand("train", "Trains a network on slices, or continues a run");
  command->add_option("--data", data,
                      "Folder with <id>_img.npy and <id>_seg.npy; with --resume, where the run's "
                      "files lie now, if they were moved");
  command->add_option("--split", split, "Folder that glia split wrote");
  command->add_option("--train-list", train_list, "Ids to train on, instead of --split");
  command->add_option("--val-list", val_list, "Ids to validate on, instead of --split");
  command->add_option("--out", out, "Folder of the run, new or empty");
  command->add_option("--resume", resume,
                      fmt::format("Continue the run in this folder; only {} may be given with it",
                                  flags_with_resume()));
  model.add_to(*command);
  add_training_options(*command, *this);
  device.add_to(*command);
  device.add_check_nan_to(*command);
  command
      ->add_option("--loader-threads", loader_threads,
                   "Threads that load slices ahead, 0 to 256; auto: one, and more up to the cores "
                   "where the step waits for it")
      ->check(number_or_auto(0, 256))
      ->capture_default_str();
  command
      ->add_option("--ranks", ranks,
                   "Share each batch among so many ranks, threads with a share of the cores each; "
                   "the gradient stays that of the whole batch (docs/scale.md)")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      ->add_option("--resident", resident,
                   "Keep all training slices on the GPU, which then makes the batches: auto where "
                   "there is room, on or off (the same bits)")
      ->check(CLI::IsMember(resident_names()))
      ->capture_default_str();
  command->add_flag("--eager", eager,
                    "Run a step kernel by kernel instead of as one CUDA graph (the same bits)");
  command->add_flag("--tensorboard", tensorboard,
                    "Also write an event file for TensorBoard into the run's folder");
  command->add_flag(
      "--trace", trace,
      "Print the time spent in each kernel at the end, and what each launches on a GPU");
  command->footer(
      "Example:\n"
      "  glia train --data slices --split split --out runs/first --epochs 5 --base-width 16\n"
      "  glia train --resume runs/first");
  return command;
}

LoaderThreads TrainOptions::loader(const Communicator* all) const {
  if (loader_threads == "auto") return LoaderThreads::automatic(all != nullptr ? all->size() : 1);
  return std::stoi(loader_threads);
}

void TrainOptions::read_settings() {
  train.region = parse_region(region);
  train.optimizer.kind = optim::parse_kind(optimizer);
  train.schedule.kind = optim::parse_schedule(schedule);
  train.augment = AugmentConfig::parse(augment);
  train.conv = device.request.conv;
  train.validate();
  parse_normalize(normalize);
}

void TrainOptions::check_batch(const std::vector<Sample>& slices) const {
  const auto count = std::ssize(slices);
  check(train.batch_size <= count,
        "--batch-size: found {}, and the training list has {} slices; a batch that is not full is "
        "left out, so use {} or less",
        train.batch_size, count, count);
}

nlohmann::json TrainOptions::model_for(const CLI::App& command,
                                       const std::vector<Sample>& slices) const {
  const std::filesystem::path& first = slices.front().image;
  const NpyInfo image = read_npy_info(first);
  check(image.shape.size() == 3, "{}: found {}, expected an image [H, W, C]", first.string(),
        image.str());
  nlohmann::json config = model.config(command, image.shape[2]).to_json();
  check_slice_size(*make_model(config), image.shape[0], image.shape[1], image.shape[2]);
  return config;
}

bool goes_with_resume(const CLI::Option& option) {
  return std::any_of(kWithResume.begin(), kWithResume.end(),
                     [&](const char* name) { return option.check_lname(name); });
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

}  // namespace glia
