// The model card: what it says, what it says is missing, and that no text breaks its tables.
#include "engine/export/model_card.h"

#include "tests/catch.h"

using namespace glia;
using nlohmann::json;

namespace {

ModelCard full_card() {
  const json score = {{"mean", 0.8125}, {"defined", 12}, {"interval", {0.75, 0.875}}};
  return {.name = "best.safetensors",
          .hash = "abc123",
          .parameters = 31037633,
          .checkpoint = {{"model", {{"model", "unet"}, {"base_width", 32}}},
                         {"preprocess", {{"normalize", "slice"}}},
                         {"data", "/data/<img src=x>/a|b"},
                         {"import",
                          {{"pad_to", {300, 270}},
                           {"resize", nullptr},
                           {"take_channels", {1, 0}},
                           {"stretch", false}}},
                         {"train_hash", "t1"},
                         {"epoch", 4},
                         {"leaking", true},
                         {"split",
                          {{"group_by", "id/20"},
                           {"parts", {{"val", {{"slices", 365}, {"groups", 30}}}}}}}},
          .training = {{"train", {{"loss", "iou"}, {"epochs", 5}}}},
          .environment = {{"cpu", "A processor"}},
          .evaluation = {{"per_patient", {{"dice", score}}},
                         {"per_slice", {{"dice", {{"mean", nullptr}}}}},
                         {"pooled", {{"dice", {{"mean", 0.9}}}}},
                         {"number_of", {{"slices", 365}, {"patients", 30}, {"slices_missed", 3}}},
                         {"threshold", 0.5},
                         {"group_by", "id/20"},
                         {"list", ""}},
          .data_hash = "d4",
          .data_slices = 2032,
          .data_patients = "150, by regex:^(a|b) (the run's split)",
          .limits = {"Only adults."}};
}

}  // namespace

TEST_CASE("model card: everything that is known is said", "[card]") {
  const std::string text = to_markdown(full_card());
  CAPTURE(text);
  for (const char* part : {"# Model card: best.safetensors",
                           "not a medical device",
                           "`abc123`",
                           "| 31037633 |",
                           "| base_width | 32 |",
                           "| preprocessing | slice |",
                           "/data/&lt;img src=x&gt;/a\\|b",
                           "`d4` over 2032 slices",
                           "| import pad_to | [300,270] |",
                           "| import take_channels | [1,0] |",
                           "| import stretch | no |",
                           "| a patient is | id/20 |",
                           "| patients of the slices | 150, by regex:^(a\\|b) (the run's split) |",
                           "A patient is: `id/20`.",
                           "| val | 365 | 30 |",
                           "too good",
                           "| loss | iou |",
                           "| cpu | A processor |",
                           "On 365 slices of 30 patients (all of the folder), threshold 0.5",
                           "| dice | 0.8125 (0.7500 to 0.8750), n = 12 | undefined | 0.9000 |",
                           "- Only adults."})
    CHECK_THAT(text, ContainsSubstring(part));
  CHECK(text.find("import resize") == std::string::npos);
}

TEST_CASE("model card: what is not known is said to be unknown", "[card]") {
  const std::string text = to_markdown(
      {.name = "x", .hash = "y", .checkpoint = {{"model", {{"model", "unet"}}}}, .data_hash = {}});
  CAPTURE(text);
  CHECK_THAT(text, ContainsSubstring("| folder | not recorded |"));
  CHECK_THAT(text, ContainsSubstring("| import | no import.json beside the slices |"));
  CHECK_THAT(text, ContainsSubstring("not recorded (no config.json"));
  CHECK_THAT(text, ContainsSubstring("not taken; see glia model-card --data"));
  CHECK_THAT(text, ContainsSubstring("not counted; see glia model-card --data"));
  CHECK_THAT(text, ContainsSubstring("Not given. Make them with `glia evaluate"));
  CHECK_THAT(text, ContainsSubstring("Not a medical device."));
}

TEST_CASE("model card: an evaluation without patients has no number of them", "[card]") {
  ModelCard card = full_card();
  card.evaluation["group_by"] = "none";
  card.evaluation["number_of"]["patients"] = 0;
  const std::string text = to_markdown(card);
  CHECK_THAT(text, ContainsSubstring("On 365 slices of unknown patients"));
  CHECK(text.find("A patient is:") == std::string::npos);
}

TEST_CASE("model card: a damaged evaluation does not break it", "[card]") {
  ModelCard card = full_card();
  card.evaluation = {{"per_patient", {{"dice", "high"}, {"iou", {{"mean", "x"}, {"interval", 3}}}}},
                     {"number_of", nullptr}};
  card.checkpoint["split"] = "none";
  card.checkpoint["leaking"] = "maybe";
  CHECK_THAT(to_markdown(card), ContainsSubstring("| iou | undefined | undefined | undefined |"));
}
