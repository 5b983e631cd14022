// glia evaluate: scores a checkpoint on labelled slices.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/support/device_options.h"
#include "apps/support/open_model.h"
#include "apps/support/progress.h"
#include "engine/base/file.h"
#include "engine/data/group.h"
#include "engine/train/evaluate.h"

namespace glia {

namespace {

struct Options {
  std::string checkpoint, data, list, json, group_by = "id/20", loss = "iou";
  std::int64_t batch_size = 6;
  double threshold = 0.5;
  DeviceOptions device;
};

void run(const Options& options) {
  const auto device = options.device.open();
  const OpenModel open = open_model(options.checkpoint, *device);
  std::vector<Sample> samples = scan_pairs(options.data);
  if (!options.list.empty()) samples = select_samples(samples, options.list);
  const auto groups = assign_groups(ids_of(samples), options.group_by);
  const auto total = static_cast<std::int64_t>(samples.size());
  Loader loader(std::move(samples), open.preprocess,
                {.batch_size = options.batch_size, .augment = {}, .threads = 1});
  Progress progress("evaluate", total);
  const Objective objective = Objective::parse(options.loss, Region::batch, 1);
  const EvaluateResult result =
      evaluate(*device, *open.model, loader, objective,
               {.threshold = options.threshold,
                .patient =
                    [&](const std::string& id) {
                      return options.group_by == "none" ? std::string() : groups.at(id);
                    },
                .progress = [&](std::int64_t done) { progress.update(done, {.images = done}); }});
  progress.clear();
  fmt::print("{}", format_table(result.evaluation.summary()));
  fmt::print("loss ({}, mean over {} batches of {}): {:.4f}\n", objective.label(), result.batches,
             options.batch_size, result.loss);
  const bool leaking = open.info.value("leaking", false);
  if (leaking)
    fmt::print(
        "warning: the model was trained on a split by slice: slices of one patient may stand "
        "on both sides\n");
  if (options.json.empty()) return;
  nlohmann::json json = result.evaluation.to_json();
  json["checkpoint"] = options.checkpoint;
  json["data"] = options.data;
  json["list"] = options.list;
  json["threshold"] = options.threshold;
  json["batch_size"] = options.batch_size;
  json["loss"] = {{"name", objective.str()}, {"mean", result.loss}};
  json["leaking"] = leaking;
  write_file_atomically(options.json, json.dump(2) + "\n");
  fmt::print("written to {}\n", options.json);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto* command = app.add_subcommand("evaluate", "Scores a checkpoint on labelled slices");
  auto options = std::make_shared<Options>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command->add_option("--data", options->data, "Folder with <id>_img.npy and <id>_seg.npy")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to evaluate, one a line; all if left out");
  command->add_option("--json", options->json, "Also write every figure and case to this file");
  command
      ->add_option("--batch-size", options->batch_size, "Slices a batch; batch_iou depends on it")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--threshold", options->threshold, "Probability above which a pixel is tumour")
      ->capture_default_str();
  command
      ->add_option("--group-by", options->group_by,
                   "What makes slices one patient's; see glia split --help. none: unknown")
      ->capture_default_str();
  command->add_option("--loss", options->loss, "Loss to report: iou, bce, dice or a sum")
      ->capture_default_str();
  options->device.add_to(*command);
  command->footer(
      "Example:\n"
      "  glia evaluate --checkpoint runs/first/best.safetensors --data slices --list "
      "split/val.txt");
  command->callback([options] { run(*options); });
}

}  // namespace glia
