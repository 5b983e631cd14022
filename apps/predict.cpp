// glia predict: writes masks and pictures for images and volumes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "apps/commands.h"
#include "apps/flags/device_options.h"
#include "apps/flags/inference_options.h"
#include "apps/flags/overwrite.h"
#include "apps/pictures/slice_files.h"
#include "apps/runs/attempt.h"
#include "apps/runs/find_images.h"
#include "apps/runs/import_step_options.h"
#include "apps/runs/open_model.h"
#include "apps/runs/output_folder.h"
#include "apps/runs/predict_volume.h"
#include "apps/terminal/progress.h"
#include "engine/base/text.h"
#include "engine/formats/nifti.h"
#include "engine/train/predict.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string checkpoint, list, out;
  std::vector<fs::path> inputs;
  bool all_problems = false, overwrite = false;
  ImportStepOptions reading;
  SliceFilesConfig files;
  InferenceOptions inference;
  DeviceOptions device;
};

/// Predicts one image after the other. One that cannot be predicted does not stop the others.
class Prediction {
 public:
  Prediction(const PredictOptions& o, OutputFolder& out, Device& device, const OpenModel& open)
      : o_(o),
        out_(out),
        open_(open),
        predictor_(device, *open.model),
        steps_(o.reading.steps(open, o.checkpoint)),
        files_(o.files, device.context().threads) {}

  void run(FoundImages found) {
    check_names(found.samples);
    problems_ = std::move(found.problems);
    const std::vector<Sample>& samples = found.samples;
    o_.reading.print(steps_, samples);
    if (found.masks > 0) fmt::print("left alone: {} files that are masks of others\n", found.masks);
    if (samples.size() == 1 && problems_.empty()) {
      predict(samples.front());
    } else {
      progress_.emplace("predict", std::ssize(samples));
      for (const Sample& sample : samples) {
        attempt(problems_, [&] { predict(sample); });
        progress_->update(++done_, {.images = images()});
      }
      progress_.reset();
    }
    end();
  }

  /// Writes what waits and says what there is.
  void end() {
    files_.finish();
    for (const std::string& line : lines_) fmt::print("{}\n", line);
    say_what_is_written();
    if (problems_.empty()) return;
    const std::size_t written = files_.slices() + volumes_;
    fmt::print(stderr, "glia: predict: {} of {} files could not be predicted:\n{}\n{}",
               problems_.count(), problems_.count() + written,
               printable(problems_.text(o_.all_problems)), written > 0 ? kAgain : "");
    throw CLI::RuntimeError(1);
  }

  /// Before the first is predicted: whether any of the files to be written is there.
  void check_names(const std::vector<Sample>& samples) {
    std::vector<std::string> names;
    const auto add = [&](const std::vector<std::string>& more) {
      names.insert(names.end(), more.begin(), more.end());
    };
    bool pictures = false;
    for (const Sample& sample : samples) {
      const bool volume = is_nifti_name(sample.image);
      add(volume ? files_of_volume(sample.id).names() : files_.names_of(sample.id));
      pictures = pictures || !volume;
    }
    if (pictures) add(files_.names_of_all());
    out_.take(std::move(names));
  }

  /// The files are the channels of one volume.
  void volume(const std::string& id, const std::vector<fs::path>& files) {
    const auto segment = [&](const Slice& slice) {
      auto probability = in_files(files, [&] { return probabilities(slice, true); });
      auto mask =
          decide(probability, slice.height, slice.width, o_.files.threshold, o_.files.postprocess);
      return SegmentedSlice{std::move(mask), std::move(probability)};
    };
    std::optional<Progress> progress;
    const VolumeFiles written = files_of_volume(id);
    const VolumeResult result = predict_volume(files, steps_.stack, written, segment,
                                               [&](std::int64_t done, std::int64_t total) {
                                                 if (progress_) return show_volume(id, done, total);
                                                 if (!progress) {
                                                   progress.emplace("predict", total);
                                                   progress->begin(done, done);
                                                 }
                                                 progress->update(done, {.images = done});
                                               });
    progress.reset();
    ++volumes_;
    volume_slices_ += result.slices;
    for (const std::string& doubt : result.doubts) lines_.push_back("warning: " + printable(doubt));
    lines_.push_back(fmt::format("{} written: tumour in {} of {} slices, {:.2f} ml",
                                 written.mask.string(), result.with_tumour, result.slices,
                                 result.millilitres));
  }

 private:
  VolumeFiles files_of_volume(const std::string& id) const {
    VolumeFiles files{.mask = o_.files.out / (id + "_mask.nii.gz"),
                      .probability = {},
                      .if_there = o_.files.if_there};
    if (o_.files.npy) files.probability = o_.files.out / (id + "_probability.npy");
    return files;
  }

  /// Slices predicted, those of volumes too.
  std::int64_t images() const {
    return static_cast<std::int64_t>(files_.slices()) + volume_slices_;
  }

  /// A volume among other files.
  void show_volume(const std::string& id, std::int64_t done, std::int64_t total) {
    progress_->update(done_, {.images = images() + done,
                              .part = static_cast<double>(done) / static_cast<double>(total),
                              .note = fmt::format("{}: slice {}/{}", id, done, total)});
  }

  void predict(const Sample& sample) {
    if (is_nifti_name(sample.image)) return volume(sample.id, {sample.image});
    const StackOptions as_given{.take_channels = o_.reading.take_channels};
    Slice slice = load_image(sample, is_imported(sample) ? as_given : steps_.stack);
    auto probability = in_files({sample.image}, [&] {
      check(o_.files.channel < slice.channels, "--channel: found {}, the image has {}",
            o_.files.channel, slice.channels);
      return probabilities(slice, !is_imported(sample));
    });
    files_.add(sample.id, std::move(slice), std::move(probability));
  }

  /// Of the slice as it lies in the file.
  std::vector<float> probabilities(const Slice& slice, bool raw) {
    const Size size{slice.height, slice.width};
    const auto of = [&](const Slice& input) {
      return predict_probabilities(predictor_, open_.preprocess, input, o_.inference.chosen.flips);
    };
    if (!raw || !steps_.resizes()) return of(slice);
    return steps_.undo(of(steps_.apply(slice.image, size, slice.channels)), size);
  }

  void say_what_is_written() const {
    if (files_.slices() == 0) return;
    const fs::path out = o_.files.out;
    fmt::print(
        "{} slices written to {}{}\n", files_.slices(), out.string(),
        o_.files.masks_only ? "" : fmt::format(" (first look: {})", (out / "sheet.png").string()));
  }

  const PredictOptions& o_;
  OutputFolder& out_;
  const OpenModel& open_;
  Predictor predictor_;
  ImportSteps steps_;
  SliceFiles files_;
  std::optional<Progress> progress_;  // over all images
  Problems problems_;
  std::vector<std::string> lines_;  // printed at the end, after the bar
  std::size_t volumes_ = 0;
  std::int64_t done_ = 0, volume_slices_ = 0;
};

void run_predict(PredictOptions& o) {
  check(o.files.threshold > 0 && o.files.threshold < 1, "--threshold: found {}, expected 0 < t < 1",
        o.files.threshold);
  o.files.out = o.out;
  std::vector<CommandInput> inputs = named_inputs("--input", o.inputs);
  inputs.push_back({"--checkpoint", o.checkpoint});
  inputs.push_back({"--list", o.list});
  check_output_folder("--out", o.out, inputs);
  check_can_write("--out", o.out);
  o.files.postprocess = o.inference.chosen.postprocess;
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  say_other_precision(open, *device);
  OutputFolder out(o.out, inputs, o.overwrite);
  o.files.if_there = out.if_there();
  Prediction prediction(o, out, *device, open);
  out.write([&] {
    if (!are_one_volume(o.inputs)) return prediction.run(find_images(o.inputs, o.list));
    const std::string id = stem_of(o.inputs.front());
    prediction.check_names({{id, o.inputs.front(), {}}});
    prediction.volume(id, o.inputs);
    prediction.end();
  });
}

}  // namespace

void add_predict_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("predict", "Writes masks and pictures for images, volumes or folders");
  auto options = std::make_shared<PredictOptions>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command
      ->add_option("--input", options->inputs,
                   "Images of any size (.npy, .png, .tif or .jpg), volumes (.nii or .nii.gz) and "
                   "folders of them, with or without masks; several volumes and nothing else are "
                   "the channels of one, in the order of training")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to predict, one a line; all if left out");
  command
      ->add_option("--out", options->out,
                   "Folder for <id>_mask.png (0/255), _probability.png, _overlay.png (truth green, "
                   "prediction red) and _triptych.png (slice | truth | prediction); of a volume "
                   "<id>_mask.nii.gz in the same space")
      ->required();
  command->add_flag("--masks-only", options->files.masks_only,
                    "Write no pictures besides the masks");
  command
      ->add_option("--threshold", options->files.threshold,
                   "Probability above which a pixel is tumour")
      ->capture_default_str();
  command->add_option("--channel", options->files.channel, "Channel of the image to show")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag(
      "--npy", options->files.npy,
      "Also write the probabilities as <id>_probability.npy, float32 [H,W]; of a volume "
      "[k,j,i], as its voxels lie in the file");
  command->add_flag(kOverwrite, options->overwrite, kOverwriteHelp);
  command->add_flag(kAllProblems, options->all_problems, kAllProblemsHelp);
  options->reading.add_to(*command);
  options->inference.add_to(*command);
  options->device.add_to(*command);
  options->device.add_check_nan_to(*command);
  command->footer(
      "Example:\n"
      "  glia predict --checkpoint runs/first/best.safetensors --input slices/7_img.npy --out out\n"
      "  glia predict --checkpoint runs/first/best.safetensors --input pictures --masks-only "
      "--out out\n"
      "  glia predict --checkpoint runs/first/best.safetensors --input flair.nii.gz t1ce.nii.gz "
      "--out out");
  command->callback([options] { run_predict(*options); });
}

}  // namespace glia
