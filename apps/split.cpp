// glia split: shuffles a folder's slices into train, val and test lists, patient by patient.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "apps/commands.h"
#include "apps/runs/output_folder.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/progress.h"
#include "engine/base/text.h"
#include "engine/data/group.h"
#include "engine/data/split_folder.h"

namespace glia {

namespace {

struct SplitOptions {
  std::string data, out, materialize = "none";
  SplitConfig config;
  bool overwrite = false;
};

void print_summary(const SplitSummary& summary) {
  std::int64_t total = 0;
  for (const PartSummary& part : summary.parts) total += part.slices;
  fmt::print("{:<6} {:>7} {:>7} {:>12} {:>7}\n", "part", "slices", "groups", "with tumour",
             "share");
  for (const PartSummary& part : summary.parts)
    fmt::print("{:<6} {:>7} {:>7} {:>12} {:>5.1f} %\n", part.name, part.slices, part.groups,
               part.with_tumour,
               100.0 * static_cast<double>(part.slices) / static_cast<double>(total));
  if (summary.leaking) fmt::print("warning: --group-by none: {}\n", kLeakNote);
  if (summary.shared > 0)
    fmt::print("warning: {} slices of val and test are byte-identical to a slice of another part\n",
               summary.shared);
}

/// The rule that import wrote beside the slices, else that of the seed project's ids.
std::string default_rule(const std::filesystem::path& data) {
  const std::filesystem::path table = data / kSliceTable;
  return std::filesystem::exists(table) ? std::string(kTableRule) + table.string()
                                        : SplitConfig{}.group_by;
}

void run_split(SplitOptions& options) {
  if (options.config.group_by.empty()) options.config.group_by = default_rule(options.data);
  const std::map<std::string, Materialize> ways = {
      {"none", Materialize::none}, {"copy", Materialize::copy}, {"link", Materialize::link}};
  catch_interrupts();
  check_outside(options.out, options.data);
  SplitSummary summary;
  {
    std::optional<Progress> progress;
    summary = write_split({options.data, options.out, options.config, ways.at(options.materialize),
                           options.overwrite},
                          [&](std::int64_t done, std::int64_t total) {
                            if (interrupted()) {
                              fmt::print(stderr, "glia: stopped; nothing was written\n");
                              throw CLI::RuntimeError(130);
                            }
                            if (!progress) {
                              progress.emplace("split", total);
                              progress->begin(done, done);
                            }
                            progress->update(done, {.images = done});
                          });
  }
  fmt::print("groups by {}\n", printable_name(options.config.group_by));
  print_summary(summary);
  fmt::print("written to {}\n", printable_name(options.out));
}

}  // namespace

void add_split_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("split", "Splits slices into train, val and test lists, by patient");
  auto options = std::make_shared<SplitOptions>();
  command->add_option("--data", options->data, "Folder with <id>_img.npy and <id>_seg.npy")
      ->required();
  command->add_option("--out", options->out, "Folder for the lists and manifest.json")->required();
  command->add_option("--val", options->config.val, "Share of the slices for validation")
      ->capture_default_str();
  command->add_option("--test", options->config.test, "Share of the slices for the final test")
      ->capture_default_str();
  command->add_option("--seed", options->config.seed, "Seed of the shuffle")->capture_default_str();
  options->config.group_by.clear();
  command->add_option("--group-by", options->config.group_by,
                      "What makes slices one patient's: id/N, regex:EXPRESSION with one capture "
                      "group, csv:FILE with columns id,group, or none (leaks). Left out: the "
                      "manifest.csv in --data, which import writes, else id/20");
  command
      ->add_option("--materialize", options->materialize,
                   "Also copy or link the files into Train/Yes, Train/No, Val/Yes, ...")
      ->check(CLI::IsMember({"none", "copy", "link"}))
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the split that --out holds");
  command->footer(
      "Example:\n"
      "  glia split --data slices --out split --val 0.2 --test 0.1 --group-by id/20\n"
      "  glia split --data slices --out split --group-by 'regex:^(p[0-9]+)_' --materialize link");
  command->callback([options] { run_split(*options); });
}

}  // namespace glia
