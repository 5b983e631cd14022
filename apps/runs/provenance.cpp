#include "apps/runs/provenance.h"

#include <fmt/format.h>

#include <exception>
#include <filesystem>

#include "apps/runs/run_inputs.h"
#include "apps/runs/seen_slices.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/data/split_folder.h"
#include "engine/train/trainer.h"

namespace glia {

namespace fs = std::filesystem;
using namespace nlohmann::literals;

namespace {

nlohmann::ordered_json configuration_of_run(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::is_regular_file(file)) return {};
  auto json = json_or_null<nlohmann::ordered_json>(read_file(file, kMaxTextFile));
  return json.is_object() ? json : nlohmann::ordered_json{};
}

/// The learning curves in a run's folder. Some other folder's files of the same names are no reason
/// to fail.
std::string curves_of_run(const fs::path& folder, const nlohmann::ordered_json& configuration) {
  try {
    const std::vector<MetricsRow> metrics = read_metrics(folder);
    std::vector<EpochRow> rows;
    for (const MetricsRow& row : metrics) rows.push_back(row.curve_point());
    if (rows.empty()) return {};
    const TrainConfig config = TrainConfig::from_json(configuration.at("train"), "config.json");
    const Objective objective = Objective::parse(config.loss, config.region, config.smooth);
    return learning_curves_svg(rows, objective.label(), best_epoch(metrics, config.best_by));
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

std::string hash_files(const std::vector<Sample>& samples) {
  std::string lines;
  for (const Sample& sample : samples)
    lines += fmt::format("{} {} {}\n", sample.id, hash_file(sample.image), hash_file(sample.mask));
  return hash_text(lines);
}

Provenance trace_provenance(const std::string& checkpoint, const nlohmann::json& info,
                            const EvaluatedData& data, bool hash) {
  Provenance found;
  found.model = {{"checkpoint", fs::absolute(checkpoint).lexically_normal().string()}};
  if (hash) found.model["checkpoint_xxh3"] = hash_file(checkpoint);
  for (const char* key : {"epoch", "steps", "precision", "model", "preprocess", "data",
                          "train_hash", "val_hash", "leaking", "split", "version"})
    if (info.contains(key)) found.model[key] = info[key];
  found.data = {{"folder", fs::absolute(data.folder).lexically_normal().string()},
                {"list", data.list.empty() ? "all slices of the folder" : data.list},
                {"slices", data.samples.size()},
                {"patients_by", data.patients.rule},
                {"patients_by_from", data.patients.source},
                {"ids_xxh3", hash_ids(data.samples)}};
  if (hash) found.data["files_xxh3"] = hash_files(data.samples);

  const fs::path folder = fs::path(checkpoint).parent_path();
  found.configuration = configuration_of_run(folder);
  found.curves = curves_of_run(folder, found.configuration);

  found.warnings = data.patients.warnings;
  if (info.value("leaking", false))
    found.warnings.push_back(
        fmt::format("the model was trained on a split by slice: {}", kLeakNote));
  const std::vector<std::string> seen = warn_of_seen_slices(checkpoint, info, data);
  found.warnings.insert(found.warnings.end(), seen.begin(), seen.end());
  if (const auto copies = info.value("/split/identical_across_parts"_json_pointer, 0); copies > 0)
    found.warnings.push_back(
        fmt::format("{} slices of the split are byte-identical to slices of another part", copies));
  return found;
}

}  // namespace glia
