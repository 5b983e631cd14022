#include "engine/export/model_card.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "engine/base/json.h"
#include "engine/base/text.h"

namespace glia {

namespace {

using nlohmann::json;

constexpr const char* kUnknown = "not recorded";

/// The value at `path` ("a/b/c"), or null.
json at(const json& object, const std::string& path) {
  const json::json_pointer pointer("/" + path);
  return object.is_structured() && object.contains(pointer) ? object.at(pointer) : json(nullptr);
}

/// Text that neither ends its cell of a table nor its row, nor is taken for HTML.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '|': result += "\\|"; break;
      case '\n': result += ' '; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '&': result += "&amp;"; break;
      default: result += c;
    }
  return result;
}

/// For a cell of a table: text as it is, numbers in a readable form, the rest as JSON.
std::string text(const json& value) {
  std::string result;
  if (value.is_null())
    return kUnknown;
  else if (value.is_string())
    result = value.get<std::string>();
  else if (value.is_boolean())
    result = value.get<bool>() ? "yes" : "no";
  else if (value.is_number_float())
    result = fmt::format("{:.6g}", value.get<double>());
  else
    result = json_text(value);
  return cell(result);
}

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("| {} | {} |\n", name, value);
}

std::string row(const std::string& name, const json& value) {
  return row(name, text(value));
}

/// A row an entry; those of an object within it are led by its name.
std::string rows(const json& settings, const std::string& prefix = "") {
  std::string out;
  for (const auto& [name, value] : settings.items())
    out += value.is_object() ? rows(value, prefix + name + " ") : row(prefix + name, value);
  return out;
}

std::string training_section(const ModelCard& card) {
  const json& info = card.checkpoint;
  std::string out = "## Training\n\n| | |\n|---|---|\n";
  out += row("epoch of these weights", at(info, "epoch"));
  out += row("optimizer steps", at(info, "steps"));
  out += row("preprocessing", at(info, "preprocess/normalize"));
  if (const json validation = at(info, "validation"); validation.is_object())
    out += rows(validation, "validation ");
  const json config = at(card.training, "train");
  if (config.is_object())
    out += rows(config);
  else
    out += row("precision", at(info, "precision")) +
           row("settings", std::string("not recorded (no config.json beside the checkpoint)"));
  for (const char* key : {"glia", "compiler", "cpu", "instruction set"})
    if (const json value = at(card.environment, key); !value.is_null()) out += row(key, value);
  return out + "\n";
}

/// What glia import did to the slices, which whoever uses the network has to do as well.
std::string import_rows(const json& steps) {
  if (!steps.is_object()) return row("import", std::string("no import.json beside the slices"));
  std::string out;
  for (const auto& [name, value] : steps.items())
    if (!value.is_null()) out += row("import " + name, value);
  return out;
}

std::string data_section(const ModelCard& card) {
  const json& info = card.checkpoint;
  std::string out = "## Data and split\n\n| | |\n|---|---|\n";
  out += row("folder", at(info, "data"));
  out += import_rows(at(info, "import"));
  out += row("hash of the slices (XXH3)",
             card.data_hash.empty()
                 ? std::string("not taken; see glia model-card --data")
                 : fmt::format("`{}` over {} slices", card.data_hash, card.data_slices));
  out += row("hash of the training ids (XXH3)", at(info, "train_hash"));
  out += row("hash of the validation ids (XXH3)", at(info, "val_hash"));
  out += row("a patient is", at(info, "split/group_by"));
  out += row("patients of the slices", card.data_patients.empty()
                                           ? std::string("not counted; see glia model-card --data")
                                           : cell(card.data_patients));
  out += row("seed of the split", at(info, "split/seed"));
  out += row("slices identical across parts", at(info, "split/identical_across_parts"));
  const json parts = at(info, "split/parts");
  if (parts.is_object()) {
    out += "\n| part | slices | patients | with tumour | hash of its ids |\n";
    out += "|---|---|---|---|---|\n";
    for (const char* name : {"train", "val", "test"})
      if (const json part = at(parts, name); part.is_object())
        out += fmt::format("| {} | {} | {} | {} | `{}` |\n", name, text(at(part, "slices")),
                           text(at(part, "groups")), text(at(part, "with_tumour")),
                           text(at(part, "list_xxh3")));
  }
  const json leaking = at(info, "leaking");
  if (leaking.is_boolean() && leaking.get<bool>())
    out +=
        "\n**The split was made by slice: slices of one patient may stand on both sides, so the "
        "figures below are too good.**\n";
  return out + "\n";
}

/// "0.8123 (0.7800 to 0.8400), n = 12"
std::string average(const json& value) {
  const json mean = at(value, "mean");
  if (!mean.is_number()) return "undefined";
  std::string shown = fmt::format("{:.4f}", mean.get<double>());
  const json interval = at(value, "interval");
  if (interval.is_array() && interval.size() == 2 && interval[0].is_number() &&
      interval[1].is_number())
    shown +=
        fmt::format(" ({:.4f} to {:.4f})", interval[0].get<double>(), interval[1].get<double>());
  if (const json n = at(value, "defined"); n.is_number_integer())
    shown += fmt::format(", n = {}", n.get<std::int64_t>());
  return shown;
}

std::string metrics_section(const ModelCard& card) {
  const json& e = card.evaluation;
  std::string out = "## Metrics\n\n";
  if (!e.is_object())
    return out +
           "Not given. Make them with `glia evaluate --json evaluation.json` and pass "
           "`--evaluation evaluation.json`.\n\n";
  const json group_by = at(e, "group_by");
  const bool known = group_by != json("none");
  out += fmt::format(
      "On {} slices of {} patients ({}), threshold {}. In brackets: 95 % bootstrap interval over "
      "patients, where it was computed.\n\n",
      text(at(e, "number_of/slices")), known ? text(at(e, "number_of/patients")) : "unknown",
      at(e, "list") == json("") ? "all of the folder" : text(at(e, "list")),
      text(at(e, "threshold")));
  if (known && group_by.is_string())
    out += fmt::format("A patient is: `{}`.\n\n", group_by.get<std::string>());
  out += "| score | per patient | per slice | all pixels |\n|---|---|---|---|\n";
  for (const char* score :
       {"dice", "iou", "precision", "sensitivity", "specificity", "volume_error", "hd95"}) {
    if (at(e, fmt::format("per_patient/{}", score)).is_null()) continue;
    const bool distance = std::string_view(score) == "hd95";
    out += fmt::format("| {}{} |", score,
                       distance ? fmt::format(" ({})", text(at(e, "distance_unit"))) : "");
    for (const char* unit : {"per_patient", "per_slice", "pooled"})
      out += fmt::format(" {} |", average(at(e, fmt::format("{}/{}", unit, score))));
    out += '\n';
  }
  out += fmt::format("\nBatch IoU (soft, smooth 1, batches of {}): {}. ", text(at(e, "batch_size")),
                     text(at(e, "batch_iou")));
  out += fmt::format(
      "Slices with tumour in which nothing was found: {} of {}. Slices without tumour in which "
      "something was: {} of {}.\n",
      text(at(e, "number_of/slices_missed")), text(at(e, "number_of/slices_with_tumour")),
      text(at(e, "number_of/slices_false_positive")),
      text(at(e, "number_of/slices_without_tumour")));
  if (const json warnings = at(e, "provenance/warnings"); warnings.is_array())
    for (const json& warning : warnings) out += fmt::format("\n**Note: {}.**\n", text(warning));
  if (const json hash = at(e, "provenance/data/files_xxh3"); hash.is_string())
    out += fmt::format("\nHash of the evaluated slices (XXH3): `{}`.\n", text(hash));
  if (const json inference = at(e, "inference"); inference.is_object())
    out += fmt::format(
        "\nAfter the network: flips {}, fill holes {}, keep largest {}, smallest "
        "region {} pixels.\n",
        text(at(inference, "flips")), text(at(inference, "fill_holes")),
        text(at(inference, "keep_largest")), text(at(inference, "min_size")));
  return out + "\n";
}

std::string limits_section(const ModelCard& card) {
  std::string out = "## Limits\n\n";
  constexpr std::array kAlways = {
      "Not a medical device. No one has examined whether it helps or harms patients.",
      "It has seen slices like those it was trained on. Other scanners, sequences, orientations, "
      "voxel sizes, ages or kinds of tumour were not tried unless the metrics say so.",
      "It expects the channels in the order of the training data and the same preparation before "
      "Glia (skull stripping, bias correction, z-scores). It cannot tell when they differ.",
      "It works slice by slice and knows nothing of the slices above and below.",
      "It answers for every image, also one that is no brain.",
      "Its probabilities are not calibrated unless the evaluation shows that they are.",
      "The truth it learned from was drawn by people or programs, with their errors."};
  for (const char* limit : kAlways) out += fmt::format("- {}\n", limit);
  for (const std::string& limit : card.limits) out += fmt::format("- {}\n", limit);
  return out;
}

}  // namespace

std::string to_markdown(const ModelCard& card) {
  std::string out = fmt::format("# Model card: {}\n\n", cell(card.name));
  out +=
      "A network that marks brain tumours in MR slices, trained with Glia. **For teaching and "
      "research only: not a medical device. Not for diagnosis, treatment or any decision about a "
      "patient.**\n\n";
  out += "## Model\n\n| | |\n|---|---|\n";
  out += row("file", cell(card.name));
  out += row("hash of the file (XXH3)", fmt::format("`{}`", card.hash));
  out += row("trained numbers", fmt::format("{}", card.parameters));
  const json model = at(card.checkpoint, "model");
  out += rows(model);
  out += '\n' + training_section(card) + data_section(card) + metrics_section(card);
  return utf8_text(out + limits_section(card));
}

}  // namespace glia
