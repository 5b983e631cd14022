// Where the figures of an evaluation come from, and what in that a reader must know.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/patients.h"

namespace glia {

struct Provenance {
  nlohmann::ordered_json model;  // checkpoint with its hash, architecture, preprocessing, training
  nlohmann::ordered_json data;   // folder, list, patients, hashes of list and files
  // Of the run in whose folder the checkpoint lies; empty where it lies alone.
  nlohmann::ordered_json configuration;
  std::string curves;  // an SVG
  /// Slices of one patient on both sides, slices or patients that were trained on, slices that
  /// chose the best epoch, doubts about whose the slices are.
  std::vector<std::string> warnings;
};

struct EvaluatedData {
  std::string folder, list;  // list is empty when all slices are evaluated
  const std::vector<Sample>& samples;
  const Patients& patients;
};

/// `info` is that of the checkpoint. What was trained on is known where the run's copy of the list,
/// split/train.txt, lies beside the checkpoint. `hash` reads every evaluated file for its hash.
Provenance trace_provenance(const std::string& checkpoint, const nlohmann::json& info,
                            const EvaluatedData& data, bool hash);

/// One fingerprint of the files of all samples, in their order.
std::string hash_files(const std::vector<Sample>& samples);

}  // namespace glia
