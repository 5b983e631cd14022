// A model card: what a reader must know of a trained network before using it (Mitchell et al.,
// "Model cards for model reporting", 2019).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace glia {

/// What a card is made of. A part that is null or empty is said to be unknown, never left out.
struct ModelCard {
  std::string name;                      // of the checkpoint file
  std::string hash;                      // of its bytes
  std::int64_t parameters = 0;           // trained numbers
  nlohmann::json checkpoint;             // its metadata: model, preprocess, data, split, …
  nlohmann::json training = nullptr;     // config.json of the run
  nlohmann::json environment = nullptr;  // environment.json of the run
  nlohmann::json evaluation = nullptr;   // what `glia evaluate --json` wrote
  std::string data_hash;                 // of the slices themselves
  std::int64_t data_slices = 0;          // that it was taken over
  std::string data_patients = {};        // of these slices: how many, by which rule, who says so
  std::vector<std::string> limits = {};  // of this model, besides those of every one
};

/// The card as Markdown.
std::string to_markdown(const ModelCard& card);

}  // namespace glia
