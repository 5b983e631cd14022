#include "apps/flags/model_options.h"

#include <CLI/CLI.hpp>

namespace glia {

void ModelOptions::add_to(CLI::App& command) {
  command
      .add_option("--arch", arch,
                  "unet, or seed: the notebook's network (base width 64, no norm, upsampling, "
                  "dropout 0.5, 2-channel ReLU head, which is known to die easily)")
      ->check(CLI::IsMember({"unet", "seed"}))
      ->capture_default_str();
  command.add_option("--base-width", unet.base_width, "Channels of the first level")
      ->capture_default_str();
  command.add_option("--depth", unet.depth, "Number of halvings")->capture_default_str();
  command.add_option("--norm", norm, "batch, group or none")->capture_default_str();
  command.add_option("--up", up, "transpose or upsample")->capture_default_str();
  command.add_option("--dropout", unet.dropout, "After the two deepest encoder blocks")
      ->capture_default_str();
}

UNetConfig ModelOptions::config(const CLI::App& command, std::int64_t channels) const {
  UNetConfig config = arch == "seed" ? UNetConfig::seed() : UNetConfig{};
  config.in_channels = channels;
  if (command.count("--base-width")) config.base_width = unet.base_width;
  if (command.count("--depth")) config.depth = unet.depth;
  if (command.count("--dropout")) config.dropout = unet.dropout;
  if (command.count("--norm")) config.norm = nn::parse_norm(norm);
  if (command.count("--up")) config.up = parse_up(up);
  return config;
}

}  // namespace glia
