// glia import-weights: a checkpoint from tensors that PyTorch wrote.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/commands.h"
#include "apps/flags/overwrite.h"
#include "apps/runs/outputs.h"
#include "engine/base/hash.h"
#include "engine/export/torch_weights.h"
#include "engine/train/checkpoint.h"
#include "models/registry.h"

namespace glia {

namespace {

struct ImportWeightsOptions {
  std::string weights, like, out, normalize = "none";
  bool overwrite = false;
};

/// Model and preprocessing: of another checkpoint, of the file itself, or what the shapes tell.
nlohmann::json describe(const ImportWeightsOptions& o, const SafeTensors& weights) {
  if (!o.like.empty()) {
    const nlohmann::json like = Checkpoint::open(o.like).info;
    return {{"model", like.at("model")}, {"preprocess", like.at("preprocess")}};
  }
  const nlohmann::json own = info_of(weights, o.weights);
  if (own.is_object()) {
    check(own.contains("model") && own.contains("preprocess"),
          "{}: the metadata lack model or preprocess; name a checkpoint by --like", o.weights);
    return own;
  }
  const auto normalize = parse_normalize(o.normalize);
  check(normalize != Preprocess::Normalize::dataset,
        "--normalize dataset: means and deviations are not in the weights; name a checkpoint that "
        "has them by --like");
  return {{"model", config_of_weights(weights, o.weights)},
          {"preprocess", Preprocess{.normalize = normalize, .mean = {}, .stddev = {}}.to_json()}};
}

void run_import_weights(const ImportWeightsOptions& o) {
  const auto out = output_file("--out", o.out, kSafetensorsFile,
                               {{"--weights", o.weights}, {"--like", o.like}}, o.overwrite);
  SafeTensors weights = read_weights(o.weights);
  const std::string prefix = unwrap_names(weights, o.weights);
  if (!prefix.empty())
    fmt::print("the names of {} begin with '{}', which is left out\n", printable_name(o.weights),
               printable_name(prefix));
  std::fflush(stdout);  // before what is said of other names
  nlohmann::json info = describe(o, weights);
  info.erase("training");  // the state of an optimizer that these weights have not met
  info["imported"] = {{"file", o.weights}, {"xxh3", hash_file(o.weights)}};
  const auto device = make_cpu_device();
  const auto model = make_model(info["model"]);
  check_weights(weights, model->parameters(), o.weights);
  model->parameters().allocate(*device);
  import_weights(weights, model->parameters(), o.weights);
  save_checkpoint(out, *model, nullptr, info);
  fmt::print("{} parameters written to {}, for evaluate, predict and explain\n",
             model->parameters().count(), o.out);
}

}  // namespace

void add_import_weights_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("import-weights", "Makes a checkpoint of tensors that PyTorch wrote");
  auto options = std::make_shared<ImportWeightsOptions>();
  command
      ->add_option("--weights", options->weights,
                   "safetensors file with the names of docs/interchange.md, float32")
      ->required();
  command->add_option("--out", options->out, "Checkpoint to write")->required();
  command->add_option("--like", options->like,
                      "Take architecture and preprocessing from this checkpoint; else from the "
                      "file, if glia export-weights wrote them there, else from the shapes");
  command
      ->add_option("--normalize", options->normalize,
                   "Preprocessing where neither says: none or slice")
      ->capture_default_str();
  command->add_flag(kOverwrite, options->overwrite, kOverwriteFileHelp);
  command->footer(
      "Example:\n"
      "  glia import-weights --weights weights.safetensors --out imported.safetensors");
  command->callback([options] { run_import_weights(*options); });
}

}  // namespace glia
