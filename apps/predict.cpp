// glia predict: writes masks and pictures for one image or a folder of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "apps/commands.h"
#include "apps/support/device_options.h"
#include "apps/support/open_model.h"
#include "apps/support/pictures.h"
#include "apps/support/progress.h"
#include "engine/base/file.h"
#include "engine/train/predict.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string checkpoint, input, list, out;
  double threshold = 0.5;
  std::int64_t channel = 0;
  DeviceOptions device;
};

constexpr std::size_t kSheetSlices = 12;  // a sheet is for a first look

/// The images to predict: one file, or those of a folder. A mask beside an image is shown with it;
/// none is needed.
std::vector<Sample> find_images(const fs::path& input) {
  if (fs::is_directory(input)) return pair_files(input).samples;
  check(fs::is_regular_file(input), "{}: no such file or folder", input.string());
  std::string id = input.stem().string();
  if (id.ends_with("_img")) id.resize(id.size() - 4);
  const fs::path mask = input.parent_path() / (id + "_seg.npy");
  return {{id, input, fs::exists(mask) ? mask : fs::path()}};
}

/// Writes the four pictures of one slice and returns the triptych.
Picture write_pictures(const Options& o, const Sample& sample, const Slice& slice,
                       const std::vector<float>& probability) {
  const auto threshold = static_cast<float>(o.threshold);
  const Picture grey =
      channel_picture(slice.image, slice.height, slice.width, slice.channels, o.channel);
  const Plane prediction{probability, slice.height, slice.width};
  const Plane truth{slice.mask, slice.height, slice.width};
  const auto file = [&](const char* kind) {
    return fs::path(o.out) / fmt::format("{}_{}.png", sample.id, kind);
  };
  Picture triptych = triptych_picture(grey, truth, prediction, threshold);
  write_png(file("mask"), mask_picture(prediction, threshold));
  write_png(file("probability"), probability_picture(prediction));
  write_png(file("overlay"), overlay_picture(grey, truth, prediction, threshold));
  write_png(file("triptych"), triptych);
  return triptych;
}

void run(const Options& o) {
  check(o.threshold > 0 && o.threshold < 1, "--threshold: found {}, expected 0 < t < 1",
        o.threshold);
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  std::vector<Sample> samples = find_images(o.input);
  if (!o.list.empty()) samples = select_samples(samples, o.list);
  make_folder(o.out);
  std::vector<Picture> sheet;
  {
    Progress progress("predict", static_cast<std::int64_t>(samples.size()));
    std::int64_t done = 0;
    for (const Sample& sample : samples) {
      const Slice slice = load_slice(sample);
      const auto probability = predict_probabilities(*device, *open.model, open.preprocess, slice);
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
  auto options = std::make_shared<Options>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command
      ->add_option("--input", options->input,
                   "An .npy image [H,W,C] of any size, or a folder with <id>_img.npy files")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to predict, one a line; all if left out");
  command
      ->add_option("--out", options->out,
                   "Folder for <id>_mask.png (0/255), _probability.png, _overlay.png (truth green, "
                   "prediction red) and _triptych.png (slice | truth | prediction)")
      ->required();
  command
      ->add_option("--threshold", options->threshold, "Probability above which a pixel is tumour")
      ->capture_default_str();
  command->add_option("--channel", options->channel, "Channel of the image to show")
      ->capture_default_str();
  options->device.add_to(*command);
  command->footer(
      "Example:\n"
      "  glia predict --checkpoint runs/first/best.safetensors --input slices/7_img.npy --out out");
  command->callback([options] { run(*options); });
}

}  // namespace glia
