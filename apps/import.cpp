// glia import: turns pictures, volumes and known data sets into the .npy folder that training
// reads.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands.h"
#include "apps/runs/import_steps.h"
#include "apps/runs/output_folder.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/progress.h"
#include "engine/base/check.h"
#include "engine/import/import.h"

namespace glia {

namespace {

constexpr const char* kJoin = "union";

struct ImportOptions {
  ImportConfig config;
  std::string images = ".", plane = "axial", orientation = "header", resize, pad_to;
  std::vector<std::string> masks = {"."}, image_suffixes;
  std::optional<std::string> mask_suffix;
};

/// --masks: a folder, the word that joins several masks of one image, or both.
void read_masks_option(const ImportOptions& o, ImportConfig& config) {
  config.names.masks = ".";
  bool has_folder = false;
  for (const std::string& word : o.masks) {
    const bool join = word == kJoin;
    check(join || !has_folder, "--masks {}: expected one folder, the word {}, or both as FOLDER,{}",
          fmt::join(o.masks, ","), kJoin, kJoin);
    if (join)
      config.names.join_masks = true;
    else
      config.names.masks = word;
    has_folder = has_folder || !join;
  }
}

ImportConfig config_of(const ImportOptions& o) {
  ImportConfig config = o.config;
  config.names.images = o.images;
  read_masks_option(o, config);
  const bool is_json = config.data.extension() == ".json";
  const bool named = o.images != "." || o.masks != std::vector<std::string>{"."} ||
                     !o.image_suffixes.empty() || o.mask_suffix;
  check(!is_json || !named,
        "{} says how its files are named; leave out --images, --masks, --image-suffix and "
        "--mask-suffix",
        config.data.string());
  config.names.image_suffixes = o.image_suffixes;
  if (o.image_suffixes.empty()) config.names.image_suffixes = {""};
  config.names.mask_suffix =
      o.mask_suffix.value_or(config.names.images == config.names.masks ? "_mask" : "");
  config.stack.plane = parse_slice_plane(o.plane);
  config.stack.as_stored = parse_as_stored(o.orientation);
  if (!o.resize.empty()) config.resize = parse_size(o.resize, "--resize");
  if (!o.pad_to.empty()) config.pad_to = parse_size(o.pad_to, "--pad-to");
  check(!config.stretch || config.resize, "--stretch: says how to resize; add --resize");
  const std::string flag = config.pad_to ? "--pad-to" : "--resize";
  ImportSteps{.stack = {}, .resize = config.resize, .pad_to = config.pad_to}.check_room(
      flag, fmt::format("use a smaller {}, or raise the limit", flag));
  return config;
}

/// The first few, as a terminal may show them.
template <class Item>
std::string names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items)
    names.push_back(printable_name(std::filesystem::path(item).string()));
  return first_few(names);
}

void print_kinds(const char* title, const std::map<std::string, std::int64_t>& kinds) {
  for (const auto& [kind, files] : kinds) fmt::print("{:<12} {:>6} x {}\n", title, files, kind);
}

void print_summary(const ImportConfig& config, const ImportSummary& summary) {
  print_kinds("images", summary.image_kinds);
  print_kinds("masks", summary.mask_kinds);
  fmt::print("{:<12} {:>6} ({})\n", "patients", summary.patients.size(),
             names_of(summary.patients));
  fmt::print("{:<12} {:>6} of {} x {} with {} channels, {} with tumour\n", "slices", summary.slices,
             summary.size.height, summary.size.width, summary.channels, summary.with_tumour);
  if (summary.blank > 0)
    fmt::print("{:<12} {:>6} slices left out: one value everywhere and no tumour\n", "blank",
               summary.blank);
  if (!summary.unused.empty())
    fmt::print("{:<12} {:>6} files end in none of the suffixes: {}\n", "left alone",
               summary.unused.size(), names_of(summary.unused));
  if (!summary.foreign.empty())
    fmt::print("{:<12} {:>6} files of formats that Glia does not read: {}\n", "left alone",
               summary.foreign.size(), names_of(summary.foreign));
  for (const std::string& warning : summary.warnings) fmt::print("warning: {}\n", warning);
  const std::string out = printable_name(config.out.string());
  fmt::print("written to {}; next: glia split --data {} --out split\n", out, out);
}

[[noreturn]] void stop(std::int64_t done, std::int64_t total) {
  fmt::print(stderr, "glia: stopped after {} of {} cases; nothing was written\n", done, total);
  throw CLI::RuntimeError(130);
}

void run_import(const ImportOptions& options) {
  const ImportConfig config = config_of(options);
  catch_interrupts();
  check_can_write("--out", config.out);
  ImportSummary summary;
  {
    std::optional<Progress> progress;
    summary = import_data(config, [&](std::int64_t done, std::int64_t total) {
      if (interrupted()) stop(done, total);
      if (!progress) {
        progress.emplace("import", total);
        progress->begin(done, 0);
      }
      progress->update(done, {});  // of files, which hold one image or many
    });
  }
  print_summary(config, summary);
}

void add_name_options(CLI::App& command, ImportOptions& o) {
  command.add_option("--images", o.images, "Folder of the images below --data")
      ->capture_default_str();
  command
      .add_option("--masks", o.masks,
                  "Folder of the masks below --data; or union: join several masks of one image, "
                  "such as x_mask_1 and x_mask_2; or FOLDER,union")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--image-suffix", o.image_suffixes,
                  "End of the images' names before .png, .nii.gz and so on; a list stacks several "
                  "files as channels; none if left out")
      ->delimiter(',');
  command.add_option(
      "--mask-suffix", o.mask_suffix,
      "End of the masks' names; _mask if left out, none where --masks is a folder of "
      "its own");
  command
      .add_option("--group-by", o.config.group_by,
                  "Who is one patient: folder (of the images), case (each picture or volume), "
                  "regex:EXPRESSION, csv:FILE or id/N (see glia split --help); auto is case for "
                  "volumes, folder for pictures")
      ->capture_default_str();
}

void add_value_options(CLI::App& command, ImportOptions& o) {
  ImportConfig& config = o.config;
  command
      .add_option("--labels", config.mask.labels,
                  "Mask values that are tumour, such as 1,2,4; 1 or 255 if left out")
      ->delimiter(',');
  command.add_option("--mask-threshold", config.mask.threshold,
                     "Mask values above are tumour: for masks with soft edges");
  command
      .add_option("--take-channels", config.stack.take_channels,
                  "Channels of the images to keep, such as 0,3; all if left out")
      ->delimiter(',');
  command.add_option("--mask-channel", config.stack.mask_channel,
                     "Channel of masks in colour or with alpha to take, from 0");
  command.add_option("--resize", o.resize,
                     "Resize slices to fit into HEIGHTxWIDTH, with a margin where the ratio of the "
                     "sides is another");
  command.add_flag("--stretch", config.stretch,
                   "Resize to all of HEIGHTxWIDTH, whatever the ratio of the sides");
  command.add_option("--pad-to", o.pad_to, "Put a margin around slices up to HEIGHTxWIDTH");
  command.add_option("--plane", o.plane, "Cut volumes into axial, coronal or sagittal slices")
      ->capture_default_str();
  command
      .add_option(
          "--orientation", o.orientation,
          "Turn volumes and pictures by their header, or take them as they are stored: header or "
          "stored")
      ->capture_default_str();
  command.add_flag("--allow-outside", config.allow_outside,
                   "Also read files that a dataset.json names outside of its own folder");
  command.add_flag("--keep-blank", config.keep_blank,
                   "Keep slices with one value everywhere and no tumour");
  command.add_flag(kAllProblems, config.all_problems, kAllProblemsHelp);
}

}  // namespace

void add_import_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "import", "Turns PNG, TIFF, JPEG, NIfTI and known data sets into slices for training");
  auto options = std::make_shared<ImportOptions>();
  command
      ->add_option("--data", options->config.data,
                   "Folder with images and masks, or the dataset.json of a data set")
      ->required();
  command->add_option("--out", options->config.out, "Folder to write; must not exist")->required();
  add_name_options(*command, *options);
  add_value_options(*command, *options);
  command->footer(
      "Example:\n"
      "  glia import --data lgg_tiff --out slices\n"
      "  glia import --data pictures --images img --masks seg --group-by \"regex:^(p[0-9]+)_\" "
      "--out slices\n"
      "  glia import --data brats --image-suffix _flair,_t1ce --mask-suffix _seg --labels 1,2,4 "
      "--out slices\n"
      "  glia import --data Task01_BrainTumour/dataset.json --labels 1,2,3 --out slices");
  command->callback([options] { run_import(*options); });
}

}  // namespace glia
