// glia model-card: what a reader must know of a checkpoint, as Markdown.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "apps/commands.h"
#include "apps/flags/overwrite.h"
#include "apps/flags/group_by_option.h"
#include "apps/runs/open_model.h"
#include "apps/runs/outputs.h"
#include "apps/runs/patient_rules.h"
#include "apps/runs/provenance.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/data/group.h"
#include "engine/export/model_card.h"

namespace glia {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct ModelCardOptions {
  std::string checkpoint, evaluation, data, group_by, out;
  std::vector<std::string> limits;
  bool overwrite = false;
};

/// A JSON object from a file that may be missing.
json read_beside(const fs::path& path) {
  if (!fs::exists(path)) return nullptr;
  json content = json_or_null(read_file(path, kMaxTextFile));
  check(content.is_object(), "{}: is no JSON object; mend it or move it away", path.string());
  return content;
}

json read_evaluation(const ModelCardOptions& o, const std::string& hash) {
  if (o.evaluation.empty()) return nullptr;
  const json content = json_or_null(read_file(o.evaluation, kMaxTextFile));
  check(content.is_object() && content.contains("per_patient"),
        "{}: is no evaluation; make one with glia evaluate --json", o.evaluation);
  const json::json_pointer evaluated("/provenance/model/checkpoint_xxh3");
  check(content.contains(evaluated) && content.at(evaluated) == hash,
        "{}: is the evaluation of another checkpoint; evaluate this one with --json", o.evaluation);
  return content;
}

void run_model_card(const ModelCardOptions& o) {
  check(o.group_by.empty() || !o.data.empty(),
        "--group-by: says whose the slices of --data are; add --data FOLDER");
  const fs::path path = o.checkpoint, folder = path.parent_path();
  const fs::path out = output_file("--out", o.out, kMarkdownFile,
                                   {{"--checkpoint", path},
                                    {"--evaluation", o.evaluation},
                                    {"--data", o.data},
                                    {"--group-by", table_of_rule(o.group_by)}},
                                   o.overwrite);
  const auto device = make_cpu_device();
  const OpenModel open = open_model(o.checkpoint, *device);
  const std::string hash = hash_file(path);
  ModelCard card{.name = path.filename().string(),
                 .hash = hash,
                 .parameters = open.model->parameters().count(),
                 .checkpoint = open.info,
                 .training = read_beside(folder / "config.json"),
                 .environment = read_beside(folder / "environment.json"),
                 .evaluation = read_evaluation(o, hash),
                 .data_hash = {},
                 .limits = o.limits};
  if (!o.data.empty()) {
    const std::vector<Sample> samples = scan_pairs(o.data);
    card.data_hash = hash_files(samples);
    card.data_slices = std::ssize(samples);
    const Patients patients =
        find_patients(ids_of(samples), o.group_by, {rule_of_run(open.info)}, o.data);
    print_patients(patients);
    for (const std::string& text : patients.warnings) fmt::print("warning: {}\n", printable(text));
    card.data_patients = patients.str();
  }
  write_file_atomically(out, to_markdown(card));
  fmt::print("written to {}\n", o.out);
}

}  // namespace

void add_model_card_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("model-card", "Writes down what a reader must know of a checkpoint");
  auto options = std::make_shared<ModelCardOptions>();
  command
      ->add_option("--checkpoint", options->checkpoint,
                   "best.safetensors of a run; config.json and environment.json beside it are used")
      ->required();
  command->add_option("--evaluation", options->evaluation,
                      "What glia evaluate --json wrote for this checkpoint");
  command->add_option("--data", options->data,
                      "Folder of the slices that it was trained on, to take their hash and count "
                      "their patients");
  add_group_by_option(*command, options->group_by,
                      "the rule of the run's split, else the manifest.csv in --data, else unknown");
  command->add_option("--limit", options->limits,
                      "A known limit to add to those of every model; may be given more than once");
  command->add_option("--out", options->out, "Markdown file to write")->required();
  command->add_flag(kOverwrite, options->overwrite, kOverwriteFileHelp);
  command->footer(
      "Example:\n"
      "  glia model-card --checkpoint runs/first/best.safetensors --evaluation evaluation.json "
      "--data slices --out MODEL_CARD.md");
  command->callback([options] { run_model_card(*options); });
}

}  // namespace glia
