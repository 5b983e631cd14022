// glia evaluate: scores a checkpoint on labelled slices.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>

#include "apps/commands.h"
#include "apps/flags/device_options.h"
#include "apps/flags/group_by_option.h"
#include "apps/flags/inference_options.h"
#include "apps/flags/overwrite.h"
#include "apps/runs/evaluation_output.h"
#include "apps/runs/explainer.h"
#include "apps/runs/open_model.h"
#include "apps/runs/output_folder.h"
#include "apps/runs/patient_rules.h"
#include "apps/runs/pixel_sizes.h"
#include "apps/terminal/evaluation_table.h"
#include "apps/terminal/inference_table.h"
#include "apps/terminal/progress.h"
#include "engine/base/file.h"
#include "engine/data/group.h"
#include "engine/data/patients.h"
#include "engine/metrics/bootstrap.h"
#include "engine/train/evaluate.h"

namespace glia {

namespace {

struct EvaluateFlags {
  std::string checkpoint, data, list, json, out, group_by, loss = "iou";
  std::int64_t batch_size = 6, channel = 0;
  double threshold = 0.5;
  std::vector<double> pixel_size;
  BootstrapConfig bootstrap;
  bool inference_table = false, overwrite = false;
  std::vector<std::string> explain;  // methods
  InferenceOptions inference;
  DeviceOptions device;
};

/// The masks of a few slices, in a second pass: keeping those of all would take their memory.
Masks predict_masks(Device& device, const OpenModel& open, const std::vector<Sample>& samples,
                    const std::vector<std::string>& ids, const Objective& objective,
                    const EvaluateOptions& options) {
  std::vector<Sample> wanted;
  for (const Sample& sample : samples)
    if (std::find(ids.begin(), ids.end(), sample.id) != ids.end()) wanted.push_back(sample);
  Masks masks;
  if (wanted.empty()) return masks;
  Loader loader(wanted, open.preprocess, {.batch_size = 1, .augment = {}, .threads = 0});
  EvaluateOptions plain{.threshold = options.threshold, .inference = options.inference};
  plain.slice = [&](const ScoredSlice& slice) {
    masks[slice.id].assign(slice.mask.begin(), slice.mask.end());
  };
  evaluate(device, *open.model, loader, objective, plain);
  return masks;
}

/// What was asked for besides the scores of the chosen way.
std::vector<Inference> ways_of(const EvaluateFlags& o) {
  std::vector<Inference> ways = {o.inference.chosen};
  if (o.inference_table) {
    const std::vector<Inference> all = ways_to_compare(o.inference.chosen);
    ways.insert(ways.end(), all.begin(), all.end());
  }
  return ways;
}

Patients patients_of(const EvaluateFlags& o, const OpenModel& open,
                     const std::vector<Sample>& samples) {
  std::vector<EarlierRule> earlier;
  if (o.group_by.empty()) earlier = {rule_of_list(o.list), rule_of_run(open.info)};
  return find_patients(ids_of(samples), o.group_by, earlier, o.data);
}

/// The heat maps that were asked for of a slice.
MoreFigures heat_maps(const EvaluateFlags& o, Device& device, const OpenModel& open) {
  if (o.explain.empty()) return {};
  const ExplainSettings settings{
      .methods = o.explain, .threshold = o.threshold, .channel = o.channel};
  return
      [explainer = Explainer(settings, device, open)](const Slice& slice, const std::string& id) {
        Progress progress("explain " + id, 1);
        const auto working = [&](const std::string& what, double done) {
          progress.update(0, {.part = done, .note = what});
        };
        return explainer.figures(explainer.explain(slice, id, working));
      };
}

/// What is known of the slices besides themselves.
struct SliceFacts {
  Patients patients;
  PixelSizes pixels;
};

/// What the figures depend on.
nlohmann::ordered_json settings_of(const EvaluateFlags& o, const OpenModel& open,
                                   const SliceFacts& facts, const Objective& objective,
                                   const EvaluateResult& result, ConvPrecision precision) {
  return {{"checkpoint", o.checkpoint},
          {"data", o.data},
          {"list", o.list},
          {"threshold", o.threshold},
          {"inference", o.inference.chosen.to_json()},
          {"batch_size", o.batch_size},
          {"conv", name_of(o.device.request.conv)},
          {"precision", name_of(precision)},
          {"loss", {{"name", objective.str()}, {"mean", result.loss}}},
          {"group_by", facts.patients.rule},
          {"group_by_from", facts.patients.source},
          {"pixel_size_mm", facts.pixels.to_json()},
          {"pixel_size_from", facts.pixels.known() ? facts.pixels.source : ""},
          {"bootstrap",
           {{"resamples", o.bootstrap.resamples},
            {"seed", o.bootstrap.seed},
            {"level", o.bootstrap.level}}},
          {"leaking", open.info.value("leaking", false)}};
}

void run_evaluate(const EvaluateFlags& o) {
  check(o.explain.empty() || !o.out.empty(),
        "--explain: the maps go into the report; add --out FOLDER");
  std::vector<CommandInput> inputs{{"--data", o.data},
                                   {"--checkpoint", o.checkpoint},
                                   {"--list", o.list},
                                   {"--group-by", table_of_rule(o.group_by)}};
  std::optional<OutputFolder> out;
  if (!o.out.empty()) {
    out.emplace(o.out, inputs, o.overwrite);
    out->take(EvaluationOutput::names());
  }
  // The split that a list belongs to says whose the slices are.
  if (!o.list.empty())
    inputs.push_back({"--list", std::filesystem::path(o.list).parent_path() / "manifest.json"});
  const auto json_file = output_file("--json", o.json, kJsonFile, inputs, o.overwrite);
  const IfThere json_if_there =
      std::filesystem::exists(json_file) ? IfThere::replace : IfThere::refuse;
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  say_other_precision(open, *device);
  std::vector<Sample> samples = scan_pairs(o.data);
  if (!o.list.empty()) samples = select_samples(samples, o.list);
  const SliceFacts facts{patients_of(o, open, samples),
                         find_pixel_sizes(ids_of(samples), o.pixel_size, o.data)};
  Loader loader(samples, open.preprocess,
                {.batch_size = o.batch_size, .augment = {}, .threads = 1});
  check(o.channel < loader.channels(), "--channel: found {}, the images have {}", o.channel,
        loader.channels());
  const Objective objective = Objective::parse(o.loss, Region::batch, 1);
  const MoreFigures maps = heat_maps(o, *device, open);

  Progress progress("evaluate", std::ssize(samples));
  EvaluateOptions evaluate_options{
      .threshold = o.threshold,
      .inference = o.inference.chosen,
      .patient = [&](const std::string& id) { return facts.patients.at(id); },
      .progress = [&](std::int64_t done) { progress.update(done, {.images = done}); },
      .details = true,
      .pixel_size = {}};
  if (facts.pixels.known())
    evaluate_options.pixel_size = [&](const std::string& id) { return facts.pixels.of.at(id); };
  const std::vector<Inference> ways = ways_of(o);
  const std::vector<EvaluateResult> results =
      evaluate_ways(*device, *open.model, loader, objective, evaluate_options, ways);
  progress.clear();
  const EvaluateResult& result = results.front();
  Summary summary = result.evaluation.summary();
  add_intervals(summary, result.evaluation, o.bootstrap);
  print_patients(facts.patients);
  if (facts.pixels.known()) fmt::print("pixel size: {}\n", facts.pixels.str());
  fmt::print("{}{}", format_table(summary), format_details(result.thresholds, result.calibration));
  fmt::print("loss ({}, mean over {} batches of {}): {:.4f}\n", objective.label(), result.batches,
             o.batch_size, result.loss);
  if (ways.front().any()) fmt::print("inference: {}\n", ways.front().str());
  const auto others = std::span(ways).subspan(1);
  const auto compared = std::span(results).subspan(1);
  if (o.inference_table)
    fmt::print("\n{}", format_inference_table(inference_table(others, compared)));

  Provenance provenance = trace_provenance(
      o.checkpoint, open.info,
      {.folder = o.data, .list = o.list, .samples = samples, .patients = facts.patients},
      !o.json.empty() || !o.out.empty());
  provenance.warnings.insert(provenance.warnings.end(), facts.pixels.warnings.begin(),
                             facts.pixels.warnings.end());
  for (const std::string& text : provenance.warnings) fmt::print("warning: {}\n", printable(text));

  EvaluationOutput output{
      .result = result,
      .summary = summary,
      .provenance = provenance,
      .threshold = o.threshold,
      .settings = settings_of(o, open, facts, objective, result, device->context().precision)};
  if (o.inference_table) {
    output.more_figures["inference_table"] = inference_table_json(others, compared);
    output.more_tables.push_back(
        {"Steps after the network", kInferenceNote, inference_table(others, compared)});
  }
  if (!o.json.empty()) {
    write_file_atomically(json_file, output.json(), json_if_there);
    fmt::print("written to {}\n", o.json);
  }
  if (!out) return;
  const ChosenCases cases = choose_cases(result.evaluation.slices());
  const Masks masks =
      predict_masks(*device, open, samples, cases.ids(), objective, evaluate_options);
  out->write([&] {
    output.write(out->path(), out->if_there(),
                 draw_cases(cases, samples, masks, o.channel, summary.distance_unit, maps));
  });
  fmt::print("written to {} (first look: {})\n", o.out,
             (std::filesystem::path(o.out) / "report.html").string());
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto* command = app.add_subcommand("evaluate", "Scores a checkpoint on labelled slices");
  auto options = std::make_shared<EvaluateFlags>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command->add_option("--data", options->data, "Folder with <id>_img.npy and <id>_seg.npy")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to evaluate, one a line; all if left out");
  command->add_option("--out", options->out,
                      "Folder for report.html, evaluation.json, slices.csv and patients.csv");
  command->add_flag(
      kOverwrite, options->overwrite,
      "Replace the file of --json, and what --out holds under the names that are to be written");
  command->add_option("--json", options->json, "Also write every figure and case to this file");
  command
      ->add_option("--batch-size", options->batch_size, "Slices a batch; batch_iou depends on it")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--threshold", options->threshold, "Probability above which a pixel is tumour")
      ->capture_default_str();
  add_group_by_option(*command, options->group_by,
                      "the rule of the split that --list lies in, else of the run's split, else "
                      "the manifest.csv in --data, else unknown");
  command->add_option("--loss", options->loss, "Loss to report: iou, bce, dice or a sum")
      ->capture_default_str();
  command
      ->add_option("--pixel-size", options->pixel_size,
                   "ROW,COLUMN in mm, for HD95 in mm. Left out: those of each slice in the "
                   "manifest.csv in --data, if it knows them all, else in pixels")
      ->delimiter(',')
      ->expected(2);
  command
      ->add_option("--bootstrap", options->bootstrap.resamples,
                   "Resamples of the patients behind the 95 % intervals")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{1000000}))
      ->capture_default_str();
  command->add_option("--bootstrap-seed", options->bootstrap.seed, "Which resamples are drawn")
      ->capture_default_str();
  command
      ->add_option("--channel", options->channel, "Channel of the image in the report's pictures")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option("--explain", options->explain,
                   "Heat maps after each picture of the report, with commas between: grad-cam, "
                   "saliency, occlusion (slow), mc-dropout, flips; see glia explain --help")
      ->delimiter(',')
      ->check(CLI::IsMember(explain_methods()));
  options->inference.add_to(*command);
  command->add_flag("--inference-table", options->inference_table,
                    "Also score with none of these four, with each alone and with all, in one "
                    "table; --min-size is 20 there unless given");
  options->device.add_to(*command);
  options->device.add_check_nan_to(*command);
  command->footer(
      "Example:\n"
      "  glia evaluate --checkpoint runs/first/best.safetensors --data slices --list "
      "split/val.txt \\\n"
      "    --out evaluation");
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace glia
