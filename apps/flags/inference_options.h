// The flags --flips, --fill-holes, --keep-largest and --min-size.
#pragma once

#include "engine/train/inference.h"

namespace CLI {
class App;
}

namespace glia {

struct InferenceOptions {
  Inference chosen;

  void add_to(CLI::App& command);
};

}  // namespace glia
