// glia explain: heat maps of what a network looked at and of where it is unsure.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/flags/device_options.h"
#include "apps/runs/explainer.h"
#include "apps/runs/find_images.h"
#include "apps/runs/import_steps.h"
#include "apps/terminal/progress.h"
#include "engine/base/file.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

struct ExplainOptions {
  std::string checkpoint, input, list, out;
  ExplainSettings explain;
  DeviceOptions device;
};

constexpr std::size_t kOnPage = 30;  // slices; more would make a page that no browser likes to open

/// Writes the maps of one slice as numbers and pictures; returns what is to be noted of them.
nlohmann::ordered_json write_maps(const fs::path& out, const Slice& slice, const Explanation& e) {
  std::vector<Picture> sheet{e.slice};
  nlohmann::ordered_json maps = nlohmann::ordered_json::object();
  for (const HeatMap& map : e.maps) {
    const std::string name = fmt::format("{}_{}", e.id, map.method);
    write_npy<float>(out / (name + ".npy"), {slice.height, slice.width}, map.values);
    write_png(out / (name + ".png"), map.picture);
    sheet.push_back(map.picture);
    maps[map.method] = {{"file", name + ".npy"},
                        {"picture", name + ".png"},
                        {"minimum", map.minimum},
                        {"maximum", map.maximum}};
  }
  write_png(out / (e.id + "_explain.png"), contact_sheet(sheet, static_cast<int>(sheet.size())));
  return {{"id", e.id}, {"target", e.target}, {"pixels", e.pixels}, {"maps", maps}};
}

/// The top of report.html; the slices follow.
Page begin_page(const ExplainOptions& o, std::size_t slices) {
  Page page("What " + o.checkpoint + " looked at");
  page.text(
      "Warm colours are positive, cold ones negative; colours end at the largest magnitude of "
      "their own picture. A white line runs round the pixels in question. None of these maps is a "
      "proof: they show what moves the network's answer, not whether the answer is right.");
  page.text("Glia is for teaching and research. It is not a medical device.");
  if (slices > kOnPage)
    page.warning(
        fmt::format("Only the first {} of {} slices are shown here; the others lie in "
                    "files beside this page.",
                    kOnPage, slices));
  return page;
}

/// As the network takes it: a picture that was not imported as import would have stored it.
Slice slice_of(const Sample& sample, const ImportSteps& steps) {
  Slice slice = load_image(sample, is_imported(sample) ? StackOptions{} : steps.stack);
  if (is_imported(sample) || !steps.resizes()) return slice;
  return steps.apply(slice.image, {slice.height, slice.width}, slice.channels);
}

void run_explain(const ExplainOptions& o) {
  const auto device = o.device.open();
  const OpenModel open = open_model(o.checkpoint, *device);
  const ImportSteps steps =
      in_file(o.checkpoint, [&] { return ImportSteps::of_checkpoint(open.info); });
  const FoundImages found = find_images({o.input}, o.list);
  check(found.problems.empty(), "explain: files that cannot be taken:\n{}", found.problems.text());
  const std::vector<Sample>& samples = found.samples;
  const Explainer explainer(o.explain, *device, open);
  const ExplainSettings& s = explainer.settings();
  if (o.explain.methods.empty() && !has_dropout(open))
    fmt::print("mc-dropout is left out: the network has no dropout\n");
  make_folder(o.out);
  Page page = begin_page(o, samples.size());
  nlohmann::ordered_json slices = nlohmann::ordered_json::array();
  {
    Progress progress("explain", static_cast<std::int64_t>(samples.size()));
    for (const Sample& sample : samples) {
      const Slice slice = slice_of(sample, steps);
      const Explanation explanation = explainer.explain(slice, sample.id);
      if (explanation.pixels == 0) {
        progress.clear();
        fmt::print(
            "{}: nothing to explain, the {} is empty; --target image explains the sum over all "
            "pixels\n",
            sample.id, s.target);
      }
      if (slices.size() < kOnPage) {
        std::vector<Figure> figures = explainer.figures(explanation);
        figures.insert(figures.begin(), {encode_png(explanation.slice), "slice " + sample.id});
        page.heading("Slice " + sample.id);
        page.figures(figures);
      }
      slices.push_back(write_maps(o.out, slice, explanation));
      const auto done = static_cast<std::int64_t>(slices.size());
      progress.update(done, {.images = done});
    }
  }
  nlohmann::ordered_json json = {
      {"checkpoint", o.checkpoint},   {"methods", s.methods}, {"target", s.target},
      {"threshold", s.threshold},     {"layer", s.layer},     {"patch", s.occlusion.patch},
      {"stride", s.occlusion.stride}, {"samples", s.samples}, {"seed", s.seed}};
  page.heading("Settings");
  page.table(settings_table(json));
  json["slices"] = slices;
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  write_file_atomically(fs::path(o.out) / "explain.json", json.dump(2, ' ', false, replace) + "\n");
  write_file_atomically(fs::path(o.out) / "report.html", page.html());
  fmt::print("{} explained in {} (first look: {})\n",
             samples.size() == 1 ? "1 slice" : fmt::format("{} slices", samples.size()), o.out,
             (fs::path(o.out) / "report.html").string());
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
      ->add_option("--input", options->input,
                   "An .npy, .png, .tif or .jpg image of any size, or a folder of them")
      ->required();
  command->add_option("--list", options->list,
                      "File with the ids to explain, one a line; all if left out");
  command
      ->add_option("--out", options->out,
                   "Folder for <id>_<method>.npy (float32 [H,W]), the same as .png over the slice, "
                   "<id>_explain.png (all beside each other), report.html and explain.json")
      ->required();
  add_method_options(*command, options->explain);
  command->add_option("--channel", options->explain.channel, "Channel of the image to show")
      ->capture_default_str();
  options->device.add_to(*command);
  command->footer(
      "Example:\n"
      "  glia explain --checkpoint runs/first/best.safetensors --input slices/7_img.npy --out why");
  command->callback([options] { run_explain(*options); });
}

}  // namespace glia
