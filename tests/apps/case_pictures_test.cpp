// Which slices a report shows, and that they are drawn.
#include <set>
#include <string>
#include <vector>

#include "apps/pictures/case_pictures.h"
#include "engine/base/check.h"
#include "engine/formats/npy.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

namespace {

using glia::Case;
using glia::ChosenCases;

/// Cases with Dice 0, 1/n, … in an order of their own; every third one more has none.
std::vector<Case> made_cases(int count) {
  std::vector<Case> result;
  for (int i = 0; i < count; ++i) {
    const int rank = i * 7 % count;  // `count` must not be a multiple of 7
    result.push_back({.id = std::to_string(rank),
                      .patient = "p",
                      .counts = {.tp = rank, .fp = 2 * (count - rank), .tn = 9}});
    if (i % 3 == 0) result.push_back({.id = "empty", .patient = "p", .counts = {.tn = 9}});
  }
  return result;
}

std::vector<std::string> ids(const std::vector<Case>& chosen) {
  std::vector<std::string> result;
  for (const Case& item : chosen) result.push_back(item.id);
  return result;
}

}  // namespace

TEST_CASE("the worst, the median and the best slices are chosen", "[report]") {
  const ChosenCases chosen = glia::choose_cases(made_cases(40));
  using Ids = std::vector<std::string>;
  CHECK(ids(chosen.worst) == Ids{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(ids(chosen.median) == Ids{"18", "19", "20"});
  CHECK(ids(chosen.best) == Ids{"39", "38", "37"});
  CHECK(chosen.ids().size() == 16);
}

TEST_CASE("a small set shows each slice once", "[report]") {
  for (const int count : {0, 1, 2, 5, 9, 10, 11, 12, 13, 15, 16, 17}) {
    const ChosenCases chosen = glia::choose_cases(made_cases(count));
    const auto all = chosen.ids();
    CAPTURE(count);
    CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
    CHECK(int(all.size()) == std::min(count, 16));
    CHECK(chosen.worst.size() == std::size_t(std::min(count, 10)));
  }
}

TEST_CASE("of slices with equal Dice the one with more wrong pixels comes first", "[report]") {
  const std::vector<Case> both{{.id = "few", .patient = "", .counts = {.fp = 3, .tn = 9}},
                               {.id = "many", .patient = "", .counts = {.fn = 8, .tn = 9}}};
  CHECK(glia::choose_cases(both).worst[0].id == "many");
}

TEST_CASE("chosen slices are drawn with their scores below", "[report]") {
  const glia::TempFolder folder;
  const glia::Sample sample{"7", folder.path() / "7_img.npy", folder.path() / "7_seg.npy"};
  const std::vector<float> image(5 * 6 * 2, 0.5F), mask(5 * 6, 1);
  glia::write_npy<float>(sample.image, {5, 6, 2}, image);
  glia::write_npy<float>(sample.mask, {5, 6}, mask);
  const ChosenCases chosen = glia::choose_cases(
      {{.id = "7", .patient = "0", .counts = {.tp = 10, .fn = 20}, .slices = 1, .hd95 = 2.5}});
  const glia::Masks masks{{"7", std::vector<float>(30)}};
  const auto sections = glia::draw_cases(chosen, {sample}, masks, 1, "mm");
  REQUIRE(sections.size() == 3);
  REQUIRE(sections[0].content.size() == 1);
  CHECK(sections[0].content[0].png.substr(1, 3) == "PNG");
  CHECK(sections[0].content[0].caption ==
        "slice 7, patient 0: Dice 0.500, HD95 2.5 mm; truth 30 pixels, prediction 10, both 10");
  CHECK(sections[1].content.empty());
  const auto with_more =
      glia::draw_cases(chosen, {sample}, masks, 1, "mm", [](const glia::Slice& slice, auto& id) {
        return std::vector<glia::Figure>{{"png", id + " is " + std::to_string(slice.width)}};
      });
  REQUIRE(with_more[0].content.size() == 2);
  CHECK(with_more[0].content[0].caption == sections[0].content[0].caption);
  CHECK(with_more[0].content[1].caption ==
        sample.id + " is " + std::to_string(glia::load_slice(sample).width));

  CHECK_THROWS_AS(glia::draw_cases(chosen, {sample}, {}, 1, "mm"), glia::Error);
  CHECK_THROWS_AS(glia::draw_cases(chosen, {}, masks, 1, "mm"), glia::Error);
}
