// glia explain: heat maps of what a network looked at and of where it is unsure.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <set>

#include "apps/commands.h"
#include "apps/flags/device_options.h"
#include "apps/flags/overwrite.h"
#include "apps/runs/attempt.h"
#include "apps/runs/explain_files.h"
#include "apps/runs/find_images.h"
#include "apps/runs/import_step_options.h"
#include "apps/runs/output_folder.h"
#include "apps/terminal/progress.h"
#include "engine/base/text.h"
#include "engine/formats/nifti.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct ExplainOptions {
  std::string checkpoint, list, out;
  std::vector<fs::path> inputs;
  bool all_problems = false, overwrite = false;
  ImportStepOptions reading;
  ExplainSettings explain;
  DeviceOptions device;
};

/// Explains one slice after the other. A file that cannot be explained does not stop the others.
class Explaining {
 public:
  Explaining(const ExplainOptions& o, OutputFolder& out, Device& device, const OpenModel& open)
      : o_(o),
        out_(out),
        steps_(o.reading.steps(open, o.checkpoint)),
        explainer_(o.explain, device, open),
        written_(o.out, out.if_there(), o.checkpoint, explainer_) {
    if (o.explain.methods.empty() && !has_dropout(open))
      fmt::print("mc-dropout is left out: the network has no dropout\n");
  }

  void run(FoundImages found) {
    check_names(found.samples);
    problems_ = std::move(found.problems);
    files_ = static_cast<std::int64_t>(problems_.count());
    if (found.masks > 0) fmt::print("left alone: {} files that are masks of others\n", found.masks);
    const std::vector<Sample>& samples = found.samples;
    o_.reading.print(steps_, samples);
    progress_.emplace("explain", std::ssize(samples));
    const bool alone = samples.size() == 1 && problems_.empty();
    for (const Sample& sample : samples) {
      if (alone)
        explain(sample);
      else
        attempt(problems_, [&] { explain(sample); });
      ++files_;
      progress_->update(++done_, {.images = written_.slices()});
    }
    finish();
  }

  /// The files are the channels of one volume.
  void volume(const std::vector<fs::path>& files) {
    check_names({{stem_of(files.front()), files.front(), {}}});
    progress_.emplace("explain", 1);
    explain_volume(stem_of(files.front()), files);
    finish();
  }

 private:
  /// Before the first is explained: whether any of the files to be written is there.
  void check_names(const std::vector<Sample>& samples) {
    std::vector<std::string> names = ExplainFiles::names_of_all();
    for (const Sample& sample : samples)
      for (const std::string& id : ids_in(sample))
        for (std::string& name : written_.names_of(id)) names.push_back(std::move(name));
    out_.take(std::move(names));
  }

  /// Of the slices of a file, those that are blank too; none of a volume that cannot be read.
  std::vector<std::string> ids_in(const Sample& sample) const {
    if (!is_nifti_name(sample.image)) return {sample.id};
    Problems unread;  // told when its turn comes
    std::vector<std::string> ids;
    attempt(unread, [&] {
      const VolumeSlices cut(read_nifti_header(sample.image), steps_.stack.plane,
                             steps_.stack.as_stored, sample.image.string());
      for (std::int64_t i = 0; i < cut.slices(); ++i)
        ids.push_back(id_in_volume(sample.id, i, cut.slices()));
    });
    return ids;
  }

  /// As the network takes it: a file that was not imported as import would have stored it.
  void explain(const Sample& sample) {
    if (is_nifti_name(sample.image)) return explain_volume(sample.id, {sample.image});
    const bool imported = is_imported(sample);
    const StackOptions as_given{.take_channels = o_.reading.take_channels};
    Slice slice = load_image(sample, imported ? as_given : steps_.stack);
    if (!imported && steps_.resizes())
      slice = steps_.apply(slice.image, {slice.height, slice.width}, slice.channels);
    in_files({sample.image}, [&] { explain(slice, sample.id, 0, 1); });
  }

  /// Every slice that is not blank, which import would have left out, as <id>_<number>.
  void explain_volume(const std::string& id, const std::vector<fs::path>& files) {
    const Stack volume = read_image(files, steps_.stack);
    for (const std::string& doubt : volume.doubts) say("warning: " + printable(doubt));
    const auto all = static_cast<double>(volume.slices);
    bool blank = true;
    for (std::int64_t i = 0; i < volume.slices; ++i) {
      const auto pixels = volume.slice(i);
      if (is_blank(pixels, volume.channels)) continue;
      blank = false;
      const Slice slice = steps_.apply(pixels, {volume.height, volume.width}, volume.channels);
      in_files(files, [&] {
        explain(slice, id_in_volume(id, i, volume.slices), static_cast<double>(i) / all, 1 / all);
      });
    }
    check(!blank, "{}: every slice is blank, there is nothing to explain", files.front().string());
  }

  /// `before` of its file is done, `share` of it is this slice.
  void explain(const Slice& slice, const std::string& id, double before, double share) {
    check(ids_.insert(id).second, "the name {} is taken by another image; rename one of them",
          printable_name(id));
    const auto working = [&](const std::string& what, double done) {
      progress_->update(done_, {.images = written_.slices(),
                                .part = before + share * done,
                                .note = fmt::format("{}: {}", printable(id), what)});
    };
    const Explanation explanation = explainer_.explain(slice, id, working);
    if (explanation.pixels == 0)
      say(
          fmt::format("{}: nothing to explain, the {} is empty; --target image explains the sum "
                      "over all pixels",
                      printable(id), explainer_.settings().target));
    written_.add(slice, explanation);
  }

  void finish() {
    progress_.reset();
    written_.finish();
    if (problems_.empty()) return;
    fmt::print(stderr, "glia: explain: {} of {} files could not be explained:\n{}\n{}",
               problems_.count(), files_, printable(problems_.text(o_.all_problems)),
               written_.slices() > 0 ? kAgain : "");
    throw CLI::RuntimeError(1);
  }

  void say(const std::string& line) {
    progress_->clear();
    fmt::print("{}\n", line);
  }

  const ExplainOptions& o_;
  OutputFolder& out_;
  ImportSteps steps_;
  Explainer explainer_;
  ExplainFiles written_;
  std::optional<Progress> progress_;  // over all files
  Problems problems_;
  std::set<std::string> ids_;
  std::int64_t done_ = 0, files_ = 0;  // tried, and with those that could not be
};

void run_explain(const ExplainOptions& o) {
  std::vector<CommandInput> inputs = named_inputs("--input", o.inputs);
  inputs.push_back({"--checkpoint", o.checkpoint});
  inputs.push_back({"--list", o.list});
  check_output_folder("--out", o.out, inputs);
  check_can_write("--out", o.out);
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  say_other_precision(open, *device);
  OutputFolder out(o.out, inputs, o.overwrite);
  Explaining explaining(o, out, *device, open);
  out.write([&] {
    if (are_one_volume(o.inputs)) return explaining.volume(o.inputs);
    explaining.run(find_images(o.inputs, o.list));
  });
}

void add_method_options(CLI::App& command, ExplainSettings& o) {
  command
      .add_option("--methods", o.methods,
                  "Any of grad-cam, saliency, occlusion, mc-dropout, flips, with commas between; "
                  "all that the network allows if left out")
      ->delimiter(',')
      ->check(CLI::IsMember(explain_methods()));
  command
      .add_option("--target", o.target,
                  "Whose logits are summed and explained: the pixels of the prediction, of the "
                  "truth, or of the whole image")
      ->check(CLI::IsMember({"prediction", "truth", "image"}))
      ->capture_default_str();
  command
      .add_option("--threshold", o.threshold, "Probability above which a pixel is predicted tumour")
      ->capture_default_str();
  command
      .add_option("--layer", o.layer,
                  "Of grad-cam: encoder.0 (widest), encoder.1, …, bottleneck, …, decoder.0")
      ->capture_default_str();
  command.add_option("--patch", o.occlusion.patch, "Of occlusion: side of the hidden square")
      ->capture_default_str();
  command.add_option("--stride", o.occlusion.stride, "Of occlusion: from one square to the next")
      ->capture_default_str();
  command.add_option("--samples", o.samples, "Of mc-dropout: passes")->capture_default_str();
  command.add_option("--seed", o.seed, "Of mc-dropout: the same seed drops the same")
      ->capture_default_str();
}

}  // namespace

void add_explain_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("explain", "Draws what the network looked at and where it is unsure");
  auto options = std::make_shared<ExplainOptions>();
  command->add_option("--checkpoint", options->checkpoint, "best.safetensors of a run")->required();
  command
      ->add_option("--input", options->inputs,
                   "Images of any size (.npy, .png, .tif or .jpg), volumes (.nii or .nii.gz, slice "
                   "by slice) and folders of them, with or without masks; several volumes and "
                   "nothing else are the channels of one, in the order of training")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to explain, one a line; all if left out");
  command
      ->add_option("--out", options->out,
                   "Folder for <id>_<method>.npy (float32 [H,W]), the same as .png over the slice, "
                   "<id>_explain.png (all beside each other, with titles), report.html and "
                   "explain.json")
      ->required();
  add_method_options(*command, options->explain);
  command->add_option("--channel", options->explain.channel, "Channel of the image to show")
      ->capture_default_str();
  command->add_flag(kOverwrite, options->overwrite, kOverwriteHelp);
  command->add_flag(kAllProblems, options->all_problems, kAllProblemsHelp);
  options->reading.add_to(*command);
  options->device.add_to(*command);
  command->footer(
      "Example:\n"
      "  glia explain --checkpoint runs/first/best.safetensors --input slices/7_img.npy --out why");
  command->callback([options] { run_explain(*options); });
}

}  // namespace glia
