#include "apps/runs/import_step_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/runs/find_images.h"
#include "engine/base/file.h"

namespace glia {

void ImportStepOptions::add_to(CLI::App& command) {
  command
      .add_option("--take-channels", take_channels,
                  "Channels to use, such as 0,2 or 0,0,0; if left out those of the import before "
                  "the training, else all")
      ->delimiter(',');
  command.add_option("--plane", plane,
                     "Slices of a volume: axial, coronal or sagittal; if left out as in the import "
                     "before the training, else axial");
  command.add_option("--orientation", orientation,
                     "header: turn a volume or picture by its header, stored: take it as it is; "
                     "if left out as in the import before the training, else header");
}

ImportSteps ImportStepOptions::steps(const OpenModel& open, const std::string& checkpoint) const {
  ImportSteps steps = in_file(checkpoint, [&] { return ImportSteps::of_checkpoint(open.info); });
  steps.check_room(
      checkpoint + ": the import before its training",
      "raise the limit, or train on data imported with a smaller --pad-to or --resize");
  if (!take_channels.empty()) steps.stack.take_channels = take_channels;
  if (plane) steps.stack.plane = parse_slice_plane(*plane);
  if (orientation) steps.stack.as_stored = parse_as_stored(*orientation);
  return steps;
}

void ImportStepOptions::print(const ImportSteps& steps, const std::vector<Sample>& samples) const {
  const std::string text = steps.str();
  if (text.empty() || std::all_of(samples.begin(), samples.end(), is_imported)) return;
  const bool by_flags = !take_channels.empty() || plane || orientation;
  fmt::print("pictures are treated as {}glia import did before the training: {}\n",
             by_flags ? "the flags say, and else as " : "", text);
}

}  // namespace glia
