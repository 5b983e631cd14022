#include "engine/data/preprocess.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/formats/npy.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

using namespace glia;
using Normalize = Preprocess::Normalize;

namespace {

Sample write_image(const TempFolder& folder, const std::string& id, std::vector<float> values,
                   std::int64_t channels) {
  const Sample sample{id, folder.path() / (id + "_img.npy"), {}};
  const auto pixels = static_cast<std::int64_t>(values.size()) / channels;
  write_npy<float>(sample.image, {1, pixels, channels}, values);
  return sample;
}

}  // namespace

TEST_CASE("preprocess: dataset statistics are those of all pixels together") {
  const TempFolder folder;
  // Channel 0 holds 1, 2, 3, 6; channel 1 is constant.
  const std::vector<Sample> samples = {write_image(folder, "1", {1, 5}, 2),
                                       write_image(folder, "2", {2, 5, 3, 5, 6, 5}, 2)};
  const Preprocess fitted = Preprocess::fit(Normalize::dataset, samples);
  REQUIRE(fitted.mean.size() == 2);
  CHECK(fitted.mean[0] == Approx(3.0));
  CHECK(fitted.stddev[0] == Approx(std::sqrt(3.5)));
  CHECK(fitted.mean[1] == Approx(5.0));
  CHECK(fitted.stddev[1] == Approx(1e-6));

  std::vector<float> image = {3, 5, 6, 5};
  fitted.apply(image, 2);
  CHECK(image[0] == Approx(0.0));
  CHECK(image[2] == Approx(3.0 / std::sqrt(3.5)));
  CHECK(image[3] == 0.0f);
}

TEST_CASE("preprocess: a large offset does not drown the deviation") {
  const TempFolder folder;
  const Preprocess fitted = Preprocess::fit(
      Normalize::dataset,
      {write_image(folder, "1", {1e6f, 1e6f + 1}, 1), write_image(folder, "2", {1e6f + 2}, 1)});
  CHECK(fitted.stddev[0] == Approx(std::sqrt(2.0 / 3)).epsilon(1e-6));
}

TEST_CASE("preprocess: slice gives every channel mean 0 and deviation 1, none changes nothing") {
  std::vector<float> image = {1, 10, 2, 30, 3, 50};
  const std::vector<float> before = image;
  Preprocess{}.apply(image, 2);
  CHECK(image == before);
  Preprocess::fit(Normalize::slice, {}).apply(image, 2);
  const float high = std::sqrt(1.5f);
  for (std::size_t c = 0; c < 2; ++c) {
    CHECK(image[c] == Approx(-high));
    CHECK(image[2 + c] == Approx(0.0).margin(1e-6));
    CHECK(image[4 + c] == Approx(high));
  }
}

TEST_CASE("preprocess: JSON round trip keeps every bit") {
  Preprocess before;
  before.normalize = Normalize::dataset;
  before.mean = {0.1f, -1e-7f, 123456.7f};
  before.stddev = {1.0f / 3, 1e-6f, 2.5f};
  const Preprocess after = Preprocess::from_json(nlohmann::json::parse(before.to_json().dump()));
  CHECK(after.normalize == before.normalize);
  CHECK(after.mean == before.mean);
  CHECK(after.stddev == before.stddev);
}

TEST_CASE("preprocess: errors say what is wrong") {
  CHECK_THROWS_WITH(Preprocess::fit(Normalize::dataset, {}), ContainsSubstring("at least one"));
  CHECK_THROWS_WITH(parse_normalize("zscore"), ContainsSubstring("none, slice or dataset"));
  const std::vector<float> none, one{1};
  for (const auto& [normalize, means, text] :
       {std::tuple("dataset", none, "normalize is dataset, with 0 means"),
        std::tuple("none", one, "normalize is none, with 1 means"),
        std::tuple("slice", one, "normalize is slice, with 1 means")})
    CHECK_THROWS_WITH(
        Preprocess::from_json({{"normalize", normalize}, {"mean", means}, {"std", means}}),
        ContainsSubstring(text));
  CHECK_THROWS_WITH(Preprocess::from_json({{"mean", 1}}), ContainsSubstring("'normalize'"));
  CHECK_THROWS_WITH(
      Preprocess::from_json({{"normalize", "dataset"}, {"mean", {1, "x"}}, {"std", {1, 2}}}),
      ContainsSubstring("'mean' holds \"x\""));
  CHECK_THROWS_WITH(
      Preprocess::from_json({{"normalize", "dataset"}, {"mean", {1, 2}}, {"std", {1}}}),
      ContainsSubstring("2 means but 1"));
  for (const double deviation : {0.0, -1.0, 1e-60})
    CHECK_THROWS_WITH(
        Preprocess::from_json({{"normalize", "dataset"}, {"mean", {1}}, {"std", {deviation}}}),
        ContainsSubstring("'std' holds") && ContainsSubstring("above 0"));
  for (const char* key : {"mean", "std"}) {
    nlohmann::json json = {{"normalize", "dataset"}, {"mean", {1}}, {"std", {1}}};
    json[key][0] = 1e39;
    CHECK_THROWS_WITH(
        Preprocess::from_json(json),
        ContainsSubstring(key + std::string("' holds 1e+39, expected a number within the range")));
  }
  Preprocess fitted;
  fitted.normalize = Normalize::dataset;
  fitted.mean = fitted.stddev = {1, 1, 1};
  std::vector<float> image(8);
  CHECK_THROWS_WITH(fitted.apply(image, 2),
                    ContainsSubstring("2 channels") && ContainsSubstring("on 3"));

  const TempFolder folder;
  CHECK_THROWS_WITH(Preprocess::fit(Normalize::dataset, {write_image(folder, "a", {1, 2}, 2),
                                                         write_image(folder, "b", {1, 2}, 1)}),
                    ContainsSubstring("b_img.npy: 1 channels, expected 2"));
}
