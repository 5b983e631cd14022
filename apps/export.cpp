// glia export: the network of a checkpoint as an ONNX file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/flags/overwrite.h"
#include "apps/runs/import_steps.h"
#include "apps/runs/open_model.h"
#include "apps/runs/outputs.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "models/registry.h"

namespace glia {

namespace {

struct ExportOptions {
  std::string checkpoint, onnx;
  bool overwrite = false;
};

void run_export(const ExportOptions& o) {
  const auto onnx =
      output_file("--onnx", o.onnx, kOnnxFile, {{"--checkpoint", o.checkpoint}}, o.overwrite);
  const auto device = make_cpu_device();
  const OpenModel open = open_model(o.checkpoint, *device);
  const std::map<std::string, std::string> metadata = {
      {"checkpoint_xxh3", hash_file(o.checkpoint)},
      {"glia", open.info.dump()},
      {"note", "for teaching and research; not a medical device"}};
  write_file_atomically(onnx,
                        onnx_graph(*open.model, open.preprocess).file(GLIA_VERSION, metadata));
  fmt::print(
      "written to {}: input image [N, {}, H, W] of any size, not preprocessed; outputs logits and "
      "probability [N, 1, H, W]\n",
      o.onnx, open.model->in_channels());
  if (const std::string steps =
          in_file(o.checkpoint, [&] { return ImportSteps::of_checkpoint(open.info).str(); });
      !steps.empty())
    fmt::print(
        "not in the graph: what glia import did before the training ({}); hand it images as "
        "they lie in the imported folder\n",
        steps);
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto* command = app.add_subcommand("export", "Writes a checkpoint's network as an ONNX file");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command
      ->add_option("--onnx", options->onnx,
                   "File to write: operator set 17; preprocessing and padding are part of it")
      ->required();
  command->add_flag(kOverwrite, options->overwrite, kOverwriteFileHelp);
  command->footer(
      "Example:\n  glia export --checkpoint runs/first/best.safetensors --onnx unet.onnx");
  command->callback([options] { run_export(*options); });
}

}  // namespace glia
