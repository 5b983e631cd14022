// glia predict: writes masks and pictures for one image or a folder of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "apps/commands.h"
#include "apps/flags/device_options.h"
#include "apps/flags/inference_options.h"
#include "apps/pictures/pictures.h"
#include "apps/runs/find_images.h"
#include "apps/runs/open_model.h"
#include "apps/runs/predict_volume.h"
#include "apps/terminal/progress.h"
#include "engine/base/file.h"
#include "engine/formats/nifti.h"
#include "engine/formats/npy.h"
#include "engine/train/predict.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string checkpoint, list, out, plane = "axial", orientation = "header";
  std::vector<std::string> inputs;
  std::vector<std::int64_t> take_channels;
  double threshold = 0.5;
  std::int64_t channel = 0;
  bool npy = false;
  InferenceOptions inference;
  DeviceOptions device;
};

constexpr std::size_t kSheetSlices = 12;  // a sheet is for a first look

/// Writes the pictures of one slice and returns the triptych.
Picture write_pictures(const PredictOptions& o, const Sample& sample, const Slice& slice,
                       const std::vector<float>& probability) {
  const std::int64_t height = slice.height, width = slice.width;
  const auto mask = decide(probability, height, width, o.threshold, o.inference.chosen.postprocess);
  const Picture grey = channel_picture(slice.image, height, width, slice.channels, o.channel);
  const Plane prediction{mask, height, width}, likely{probability, height, width};
  const Plane truth{slice.mask, height, width};
  const auto file = [&](const char* kind) {
    return fs::path(o.out) / fmt::format("{}_{}", sample.id, kind);
  };
  Picture triptych = triptych_picture(grey, truth, likely, prediction);
  write_png(file("mask.png"), mask_picture(prediction));
  write_png(file("probability.png"), probability_picture(likely));
  write_png(file("overlay.png"), overlay_picture(grey, truth, prediction));
  write_png(file("triptych.png"), triptych);
  if (o.npy) write_npy<float>(file("probability.npy"), {height, width}, probability);
  return triptych;
}

/// What concerns files that are no .npy arrays.
StackOptions stack_options(const PredictOptions& o) {
  return {parse_slice_plane(o.plane), parse_as_stored(o.orientation), o.take_channels, {}};
}

void run_volume(const PredictOptions& o, Device& device, const OpenModel& open) {
  const auto segment = [&](const Slice& slice) {
    const auto probability = predict_probabilities(device, *open.model, open.preprocess, slice,
                                                   o.inference.chosen.flips);
    return decide(probability, slice.height, slice.width, o.threshold,
                  o.inference.chosen.postprocess);
  };
  make_folder(o.out);
  std::optional<Progress> progress;
  const VolumeResult result =
      predict_volume({o.inputs.begin(), o.inputs.end()}, stack_options(o), o.out, segment,
                     [&](std::int64_t done, std::int64_t total) {
                       if (!progress) progress.emplace("predict", total);
                       progress->update(done, {.images = done});
                     });
  progress.reset();
  for (const std::string& doubt : result.doubts) fmt::print("warning: {}\n", printable(doubt));
  fmt::print("{} written: tumour in {} of {} slices, {:.2f} ml\n", result.mask.string(),
             result.with_tumour, result.slices, result.millilitres);
}

void run_predict(const PredictOptions& o) {
  check(o.threshold > 0 && o.threshold < 1, "--threshold: found {}, expected 0 < t < 1",
        o.threshold);
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  if (is_nifti_name(o.inputs.front())) return run_volume(o, *device, open);
  check(o.inputs.size() == 1, "--input: {} files; only a NIfTI volume may have several",
        o.inputs.size());
  const std::vector<Sample> samples = find_images(o.inputs.front(), o.list);
  make_folder(o.out);
  std::vector<Picture> sheet;
  {
    Progress progress("predict", static_cast<std::int64_t>(samples.size()));
    std::int64_t done = 0;
    for (const Sample& sample : samples) {
      const Slice slice = load_image(sample, stack_options(o));
      const auto probability = predict_probabilities(*device, *open.model, open.preprocess, slice,
                                                     o.inference.chosen.flips);
      Picture triptych = write_pictures(o, sample, slice, probability);
      if (sheet.size() < kSheetSlices) sheet.push_back(std::move(triptych));
      ++done;
      progress.update(done, {.images = done});
    }
  }
  write_png(fs::path(o.out) / "sheet.png", contact_sheet(sheet, sheet.size() > 3 ? 2 : 1));
  fmt::print("{} slices written to {} (first look: {})\n", samples.size(), o.out,
             (fs::path(o.out) / "sheet.png").string());
}

}  // namespace

void add_predict_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("predict", "Writes masks and pictures for an image or a folder");
  auto options = std::make_shared<PredictOptions>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command
      ->add_option("--input", options->inputs,
                   "An .npy, .png, .tif or .jpg image of any size, a folder with <id>_img.npy "
                   "files, or a volume, .nii or .nii.gz: one file with all channels, or a file "
                   "each in the order of training")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to predict, one a line; all if left out");
  command
      ->add_option("--out", options->out,
                   "Folder for <id>_mask.png (0/255), _probability.png, _overlay.png (truth green, "
                   "prediction red) and _triptych.png (slice | truth | prediction); of a volume "
                   "<name>_mask.nii.gz in the same space")
      ->required();
  command
      ->add_option("--threshold", options->threshold, "Probability above which a pixel is tumour")
      ->capture_default_str();
  command->add_option("--channel", options->channel, "Channel of the image to show")
      ->capture_default_str();
  command->add_flag("--npy", options->npy,
                    "Also write the probabilities as <id>_probability.npy, float32 [H,W]");
  command
      ->add_option("--take-channels", options->take_channels,
                   "Channels of a picture or volume to use, as in glia import; all if left out")
      ->delimiter(',');
  command
      ->add_option("--plane", options->plane,
                   "Slices of a volume: axial, coronal or sagittal, as in glia import")
      ->capture_default_str();
  command
      ->add_option("--orientation", options->orientation,
                   "Turn a volume or picture by its header, or take it as it is stored")
      ->capture_default_str();
  options->inference.add_to(*command);
  options->device.add_to(*command);
  options->device.add_check_nan_to(*command);
  command->footer(
      "Example:\n"
      "  glia predict --checkpoint runs/first/best.safetensors --input slices/7_img.npy --out out\n"
      "  glia predict --checkpoint runs/first/best.safetensors --input flair.nii.gz t1ce.nii.gz "
      "--out out");
  command->callback([options] { run_predict(*options); });
}

}  // namespace glia
