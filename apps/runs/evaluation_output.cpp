#include "apps/runs/evaluation_output.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/metrics/evaluation_files.h"

namespace glia {

namespace {

constexpr const char* kEvaluationNames[] = {"evaluation.json", "slices.csv", "patients.csv",
                                            "report.html"};

}  // namespace

std::vector<std::string> EvaluationOutput::names() {
  return {std::begin(kEvaluationNames), std::end(kEvaluationNames)};
}

std::string EvaluationOutput::json() const {
  nlohmann::ordered_json json = settings;
  json.update(evaluation_json(result.evaluation, summary));
  json["threshold_curve"] = threshold_json(result.thresholds);
  json["calibration"] = calibration_json(result.calibration);
  json.update(more_figures);
  json["provenance"] = {
      {"model", provenance.model}, {"data", provenance.data}, {"warnings", provenance.warnings}};
  // File names need not be UTF-8; JSON must be.
  return json_text(json, 2) + "\n";
}

void EvaluationOutput::write(const std::filesystem::path& folder, IfThere if_there,
                             std::vector<Section<std::vector<Figure>>> cases) const {
  EvaluationPage page{
      .title = "Evaluation of " + settings.value("checkpoint", "a checkpoint"),
      .warnings = provenance.warnings,
      .evaluation = result.evaluation,
      .summary = summary,
      .thresholds = result.thresholds,
      .calibration = result.calibration,
      .threshold = threshold,
      .more_tables = more_tables,
      .cases = std::move(cases),
      .training_curves = provenance.curves,
      .provenance = {{"Settings of the evaluation", "", settings},
                     {"The data",
                      "Hashes are XXH3 with 128 bits: they tell whether two evaluations "
                      "saw the same slices.",
                      provenance.data},
                     {"The model", "", provenance.model}}};
  if (!provenance.configuration.empty())
    page.provenance.push_back({"Configuration of the training run", "", provenance.configuration});
  const std::string texts[] = {json(), slices_csv(result.evaluation),
                               patients_csv(result.evaluation), page.html()};
  for (std::size_t i = 0; i < std::size(texts); ++i)
    write_file_atomically(folder / kEvaluationNames[i], texts[i], if_there);
}

}  // namespace glia
