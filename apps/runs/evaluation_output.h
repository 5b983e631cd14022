// What an evaluation leaves in files: JSON, tables and a page.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/pictures/case_pictures.h"
#include "apps/runs/provenance.h"
#include "engine/base/if_there.h"
#include "engine/train/evaluate.h"

namespace glia {

struct EvaluationOutput {
  const EvaluateResult& result;
  const Summary& summary;
  const Provenance& provenance;
  double threshold;
  nlohmann::ordered_json settings;  // what the figures depend on; the JSON file has it at its top
  nlohmann::ordered_json more_figures = nlohmann::ordered_json::object();  // for JSON only
  std::vector<Section<Table>> more_tables = {};                            // for the page only

  /// What `write` leaves in its folder.
  static std::vector<std::string> names();
  /// Every figure and case, the settings and the provenance.
  std::string json() const;
  /// Writes report.html with the pictures of `cases`, evaluation.json, slices.csv and patients.csv.
  void write(const std::filesystem::path& folder, IfThere if_there,
             std::vector<Section<std::vector<Figure>>> cases) const;
};

}  // namespace glia
