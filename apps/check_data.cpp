// glia check-data: everything that is wrong with a data folder, one line a problem, and a summary.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/flags/overwrite.h"
#include "apps/flags/group_by_option.h"
#include "apps/flags/help_text.h"
#include "apps/runs/outputs.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/data/check_data.h"
#include "engine/data/group.h"
#include "engine/data/split_folder.h"

namespace glia {

namespace {

using Json = nlohmann::ordered_json;

struct CheckDataOptions {
  std::string data, json, group_by, split;
  bool overwrite = false;
};

void print_kinds(const char* title, std::int64_t count,
                 const std::map<std::string, std::int64_t>& kinds) {
  fmt::print("{:<15} {}\n", title, count);
  for (const auto& [kind, files] : kinds) fmt::print("{:<15} {:>6} x {}\n", "", files, kind);
}

void print_report(const DataReport& report) {
  const auto print = [](const char* lead, const Problem& problem) {
    fmt::print("{}{}: {}\n", lead, printable_name(problem.file.string()), printable(problem.text));
  };
  for (const Problem& problem : report.problems) print("", problem);
  for (const Problem& warning : report.warnings) print("warning: ", warning);
  const DataSummary& summary = report.summary;
  fmt::print("{:<15} {}\n", "patients", wrap(printable(report.patients.str()), 64, 16));
  print_kinds("images", summary.images, summary.image_kinds);
  print_kinds("masks", summary.masks, summary.mask_kinds);
  for (std::size_t c = 0; c < summary.channels.size(); ++c)
    fmt::print("{:<15} {:.6g} to {:.6g}\n", fmt::format("channel {}", c), summary.channels[c].low,
               summary.channels[c].high);
  fmt::print("{:<15} {:.2f} % of the pixels\n", "tumour", 100 * summary.tumour_share);
  fmt::print("{:<15} {} slices\n", "without tumour", summary.without_tumour);
  fmt::print("{:<15} {}\n", "warnings", report.warnings.size());
  fmt::print("{:<15} {}\n", "problems", report.problems.size());
}

Json to_json(const DataReport& report) {
  Json channels = Json::array();
  const auto list = [](const std::vector<Problem>& problems) {
    Json all = Json::array();
    for (const Problem& problem : problems)
      all.push_back({{"file", problem.file.string()}, {"text", problem.text}});
    return all;
  };
  const DataSummary& summary = report.summary;
  for (const ValueRange& range : summary.channels)
    channels.push_back({{"low", range.low}, {"high", range.high}});
  return {{"problems", list(report.problems)},
          {"warnings", list(report.warnings)},
          {"patients", report.patients.known() ? Json(report.patients.count()) : Json()},
          {"group_by", report.patients.rule},
          {"group_by_from", report.patients.source},
          {"images", summary.images},
          {"masks", summary.masks},
          {"image_kinds", summary.image_kinds},
          {"mask_kinds", summary.mask_kinds},
          {"channels", channels},
          {"tumour_share", summary.tumour_share},
          {"without_tumour", summary.without_tumour}};
}

std::vector<EarlierRule> rules_of(const CheckDataOptions& options) {
  if (options.split.empty() || !options.group_by.empty()) return {};
  const std::string rule = rule_of_split(options.split);
  check(!rule.empty(), "--split {}: found no manifest.json of glia split in it", options.split);
  return {{rule, fmt::format("the split in {}", options.split)}};
}

void run_check_data(const CheckDataOptions& options) {
  const auto json = output_file("--json", options.json, kJsonFile,
                                {{"--data", options.data},
                                 {"--split", options.split},
                                 {"--group-by", table_of_rule(options.group_by)}},
                                options.overwrite);
  const DataReport report = check_data(options.data, options.group_by, rules_of(options));
  print_report(report);
  if (!json.empty()) write_file_atomically(json, json_text(to_json(report), 2) + "\n");
  check(report.problems.empty(), "{}: {} problems, listed above; mend them and check again",
        options.data, report.problems.size());
}

}  // namespace

void add_check_data_command(CLI::App& app) {
  auto* command = app.add_subcommand("check-data", "Lists everything wrong with a data folder");
  auto options = std::make_shared<CheckDataOptions>();
  command->add_option("--data", options->data, "Folder with <id>_img.npy and <id>_seg.npy")
      ->required();
  command->add_option("--split", options->split,
                      "Folder that glia split wrote, whose rule says whose the slices are");
  add_group_by_option(*command, options->group_by,
                      "the rule of --split, else the manifest.csv in --data, else unknown");
  command->add_option("--json", options->json, "Write the same as JSON to this file");
  command->add_flag(kOverwrite, options->overwrite, kOverwriteFileHelp);
  command->footer("Example:\n  glia check-data --data slices --json check.json");
  command->callback([options] { run_check_data(*options); });
}

}  // namespace glia
