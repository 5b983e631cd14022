// The flags that say which network: --arch, --base-width, --depth, --norm, --up and --dropout.
#pragma once

#include <string>

#include "models/unet/unet.h"

namespace CLI {
class App;
}

namespace glia {

struct ModelOptions {
  std::string arch = "unet";
  UNetConfig unet;
  std::string norm = name_of(unet.norm), up = name_of(unet.up);

  void add_to(CLI::App& command);
  /// The architecture for images of so many channels: the preset, changed by the flags that were
  /// given. Throws `Error` when one is wrong.
  UNetConfig config(const CLI::App& command, std::int64_t channels) const;
};

}  // namespace glia
