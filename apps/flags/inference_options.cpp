#include "apps/flags/inference_options.h"

#include <CLI/CLI.hpp>

namespace glia {

void InferenceOptions::add_to(CLI::App& command) {
  Postprocess& steps = chosen.postprocess;
  command.add_flag("--flips", chosen.flips,
                   "Average the network over the image's four flips (four times the work)");
  command.add_flag("--fill-holes", steps.fill_holes,
                   "Count background that a slice's mask encloses as tumour");
  command.add_flag("--keep-largest", steps.keep_largest, "Keep the largest region of a slice only");
  command
      .add_option("--min-size", steps.min_size,
                  "Drop regions of fewer pixels than this; 0 keeps all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
}

}  // namespace glia
