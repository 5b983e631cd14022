// glia explain: heat maps of what a network looked at and of where it is unsure.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/commands.h"
#include "apps/support/device_options.h"
#include "apps/support/find_images.h"
#include "apps/support/heat.h"
#include "apps/support/open_model.h"
#include "apps/support/progress.h"
#include "engine/base/file.h"
#include "engine/data/npy.h"
#include "engine/explain/gradients.h"
#include "engine/explain/occlusion.h"
#include "engine/explain/uncertainty.h"
#include "engine/train/evaluate.h"
#include "engine/train/predict.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct ExplainOptions {
  std::string checkpoint, input, list, out;
  std::vector<std::string> methods;
  std::string target = "prediction", layer = "bottleneck";
  double threshold = 0.5;
  std::int64_t channel = 0, samples = 20;
  std::uint64_t seed = 0;
  explain::OcclusionConfig occlusion;
  DeviceOptions device;
};

const std::vector<std::string> kMethods = {"grad-cam", "saliency", "occlusion", "mc-dropout",
                                           "flips"};

bool needs_region(const std::string& method) {
  return method != "mc-dropout" && method != "flips";
}

/// What was asked for, or all that says something about this network.
std::vector<std::string> chosen_methods(const ExplainOptions& o, const nlohmann::json& model) {
  const bool drops = model.value("dropout", 0.0) > 0;
  std::vector<std::string> methods = o.methods;
  if (methods.empty()) {
    std::copy_if(kMethods.begin(), kMethods.end(), std::back_inserter(methods),
                 [&](const std::string& method) { return drops || method != "mc-dropout"; });
    if (!drops) fmt::print("mc-dropout is left out: the network has no dropout\n");
  }
  check(drops || std::find(methods.begin(), methods.end(), "mc-dropout") == methods.end(),
        "--methods mc-dropout: the network has no dropout; train one with --dropout, or use flips");
  return methods;
}

/// The pixels of the padded image whose logits are explained.
std::vector<float> region_of(const ExplainOptions& o, const NetworkInput& input, const Slice& slice,
                             const std::vector<float>& logits) {
  check(o.target != "truth" || !slice.mask.empty(),
        "--target truth: found no mask beside the image; use prediction or image");
  const auto t = static_cast<float>(threshold_logit(o.threshold));
  std::vector<float> region(logits.size());
  for (std::int64_t h = 0; h < input.image_height; ++h)
    for (std::int64_t w = 0; w < input.image_width; ++w) {
      const auto at = static_cast<std::size_t>(h * input.width + w);
      const auto pixel = static_cast<std::size_t>(h * input.image_width + w);
      if (o.target == "image")
        region[at] = 1;
      else if (o.target == "truth")
        region[at] = slice.mask[pixel];
      else
        region[at] = logits[at] > t ? 1.0F : 0.0F;
    }
  return region;
}

/// Explains one slice after another and writes what comes out.
class Explainer {
 public:
  Explainer(const ExplainOptions& options, Device& device, const OpenModel& open)
      : o_(options),
        device_(device),
        open_(open),
        methods_(chosen_methods(options, open.info.at("model"))) {}

  const std::vector<std::string>& methods() const { return methods_; }

  /// Writes the maps of one slice; returns what is to be noted of them.
  nlohmann::ordered_json explain(const Sample& sample,
                                 const std::function<void(const std::string&)>& warn) {
    const Slice slice = load_image(sample);
    const NetworkInput input(*open_.model, open_.preprocess, slice);
    const Tensor image = input.tensor(device_);
    const auto logits = infer_logits(device_, *open_.model, image, false).to_vector<float>();
    const explain::Subject subject{device_, *open_.model, image,
                                   region_of(o_, input, slice, logits)};
    double target = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      target += static_cast<double>(subject.region[i]) * logits[i];
    const auto pixels = std::count(subject.region.begin(), subject.region.end(), 1.0F);
    if (pixels == 0)
      warn(
          fmt::format("{}: nothing to explain, the {} is empty; --target image explains the sum "
                      "over all pixels",
                      sample.id, o_.target));

    const Picture grey =
        channel_picture(slice.image, slice.height, slice.width, slice.channels, o_.channel);
    const auto region = input.crop(subject.region);
    std::vector<Picture> sheet{enlarge(grey, display_factor(slice.height, slice.width))};
    nlohmann::ordered_json maps = nlohmann::ordered_json::object();
    for (const std::string& method : methods_) {
      if (pixels == 0 && needs_region(method)) continue;
      const auto map = input.crop(map_of(method, subject, sample.id));
      const std::string name = fmt::format("{}_{}", sample.id, method);
      write_npy<float>(fs::path(o_.out) / (name + ".npy"), {slice.height, slice.width}, map);
      sheet.push_back(heat_picture(grey, {map, slice.height, slice.width},
                                   {region, slice.height, slice.width}));
      write_png(fs::path(o_.out) / (name + ".png"), sheet.back());
      const auto [least, most] = std::minmax_element(map.begin(), map.end());
      maps[method] = {{"file", name + ".npy"},
                      {"picture", name + ".png"},
                      {"minimum", *least},
                      {"maximum", *most}};
    }
    write_png(fs::path(o_.out) / (sample.id + "_explain.png"),
              contact_sheet(sheet, static_cast<int>(sheet.size())));
    return {{"id", sample.id}, {"target", target}, {"pixels", pixels}, {"maps", maps}};
  }

 private:
  std::vector<float> map_of(const std::string& method, const explain::Subject& subject,
                            const std::string& id) {
    std::optional<Progress> progress;
    const auto show = [&](std::int64_t done, std::int64_t all) {
      if (!progress) progress.emplace(fmt::format("{} of {}", method, id), all);
      progress->update(done, {});
    };
    if (method == "grad-cam") return explain::grad_cam(subject, o_.layer);
    if (method == "saliency") return explain::saliency(subject);
    if (method == "flips")
      return explain::flip_spread(device_, *open_.model, subject.image).deviation;
    if (method == "mc-dropout")
      return explain::dropout_spread(device_, *open_.model, subject.image, o_.samples, o_.seed,
                                     [&](std::int64_t done) { show(done, o_.samples); })
          .deviation;
    explain::OcclusionConfig config = o_.occlusion;
    config.progress = show;
    return explain::occlusion(subject, config);
  }

  const ExplainOptions& o_;
  Device& device_;
  const OpenModel& open_;
  std::vector<std::string> methods_;
};

void run_explain(const ExplainOptions& o) {
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  const std::vector<Sample> samples = find_images(o.input, o.list);
  Explainer explainer(o, *device, open);
  make_folder(o.out);
  nlohmann::ordered_json slices = nlohmann::ordered_json::array();
  {
    Progress progress("explain", static_cast<std::int64_t>(samples.size()));
    std::int64_t done = 0;
    for (const Sample& sample : samples) {
      slices.push_back(explainer.explain(sample, [&](const std::string& text) {
        progress.clear();
        fmt::print("{}\n", text);
      }));
      ++done;
      progress.update(done, {.images = done});
    }
  }
  const nlohmann::ordered_json json = {{"checkpoint", o.checkpoint},
                                       {"methods", explainer.methods()},
                                       {"target", o.target},
                                       {"threshold", o.threshold},
                                       {"layer", o.layer},
                                       {"patch", o.occlusion.patch},
                                       {"stride", o.occlusion.stride},
                                       {"samples", o.samples},
                                       {"seed", o.seed},
                                       {"slices", slices}};
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  write_file_atomically(fs::path(o.out) / "explain.json", json.dump(2, ' ', false, replace) + "\n");
  fmt::print("{} slices explained in {}\n", samples.size(), o.out);
}

void add_method_options(CLI::App& command, ExplainOptions& o) {
  command
      .add_option("--methods", o.methods,
                  "Any of grad-cam, saliency, occlusion, mc-dropout, flips, with commas between; "
                  "all that the network allows if left out")
      ->delimiter(',')
      ->check(CLI::IsMember(kMethods));
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
      ->add_option("--input", options->input,
                   "An .npy, .png, .tif or .jpg image of any size, or a folder with <id>_img.npy "
                   "files")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to explain, one a line; all if left out");
  command
      ->add_option("--out", options->out,
                   "Folder for <id>_<method>.npy (float32 [H,W]), the same as .png over the slice, "
                   "<id>_explain.png (all beside each other) and explain.json")
      ->required();
  add_method_options(*command, *options);
  command->add_option("--channel", options->channel, "Channel of the image to show")
      ->capture_default_str();
  options->device.add_to(*command);
  command->footer(
      "Example:\n"
      "  glia explain --checkpoint runs/first/best.safetensors --input slices/7_img.npy --out why");
  command->callback([options] { run_explain(*options); });
}

}  // namespace glia
