// glia train: trains a network on slices, or continues a run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "apps/commands.h"
#include "apps/runs/environment.h"
#include "apps/runs/output_folder.h"
#include "apps/runs/processes.h"
#include "apps/training/train_run.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "models/registry.h"

namespace glia {

namespace {

void start(TrainOptions& o, const CLI::App& command) {
  check(!o.data.empty() && !o.out.empty(), "train: needs --data and --out, or --resume RUN");
  o.read_settings();
  if (o.writes()) check_outside(o.out, o.data);  // which makes the folder for a moment
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
  if (o.writes()) folder.reopen();
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
