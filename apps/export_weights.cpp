// glia export-weights: the tensors of a checkpoint as PyTorch wants them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/commands.h"
#include "apps/flags/overwrite.h"
#include "apps/runs/open_model.h"
#include "apps/runs/outputs.h"
#include "engine/export/torch_weights.h"

namespace glia {

namespace {

struct ExportWeightsOptions {
  std::string checkpoint, out;
  bool overwrite = false;
};

void run_export_weights(const ExportWeightsOptions& o) {
  const auto out =
      output_file("--out", o.out, kSafetensorsFile, {{"--checkpoint", o.checkpoint}}, o.overwrite);
  const auto device = make_cpu_device();
  const OpenModel open = open_model(o.checkpoint, *device);
  export_weights(out, open.model->parameters(), open.info);
  fmt::print("written to {}: load it with docs/pytorch/load_weights.py\n", o.out);
}

}  // namespace

void add_export_weights_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "export-weights", "Writes a checkpoint's tensors with PyTorch's names and layout");
  auto options = std::make_shared<ExportWeightsOptions>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command->add_option("--out", options->out, "safetensors file to write")->required();
  command->add_flag(kOverwrite, options->overwrite, kOverwriteFileHelp);
  command->footer(
      "Example:\n"
      "  glia export-weights --checkpoint runs/first/best.safetensors --out weights.safetensors");
  command->callback([options] { run_export_weights(*options); });
}

}  // namespace glia
