#include "engine/import/mask_values.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

namespace {

using Bits = std::vector<std::uint8_t>;

std::string problem_of(const MaskRule& rule, const std::vector<std::vector<float>>& masks,
                       const std::map<std::int64_t, std::string>& names = {}) {
  MaskValues values(rule, names);
  for (const auto& mask : masks) values.binary(mask, "m.png");
  return values.problem();
}

}  // namespace

TEST_CASE("mask values: 0 and 1, or 0 and 255, need no rule; a mixture of both does", "[masks]") {
  CHECK(MaskValues({}, {}).binary(std::vector<float>{0, 255, 0}, "m") == Bits{0, 1, 0});
  CHECK(problem_of({}, {{0, 1}, {0, 0}, {1, 1}}).empty());
  CHECK(problem_of({}, {{0, 255}, {0}}).empty());
  CHECK_THAT(problem_of({}, {{0, 255}, {0, 1}}),
             ContainsSubstring("--labels 1,255 takes all but 0"));
}

TEST_CASE("mask values: classes are refused with the labels that mend it", "[masks]") {
  CHECK_THAT(problem_of({}, {{0, 1, 4}, {2, 0}}, {{4, "enhancing"}}),
             ContainsSubstring(
                 "the values 0, 1, 2, 4 (enhancing) (first in m.png); --labels 1,2,4 takes all"));
  CHECK_THAT(problem_of({}, {{0, -1}}), ContainsSubstring("--labels -1 takes"));
  CHECK(MaskValues({.labels = {4, 1}}, {}).binary(std::vector<float>{0, 1, 2, 4}, "m") ==
        Bits{0, 1, 0, 1});
  CHECK(problem_of({.labels = {1, 4}}, {{0, 1}, {4}}).empty());
  CHECK_THAT(problem_of({.labels = {1, 3}}, {{0, 1}, {4}}),
             ContainsSubstring("--labels 3: no mask has that value; they have 0, 1, 4"));
  // Where none could be read, nobody knows.
  CHECK(problem_of({.labels = {1}}, {}).empty());
}

TEST_CASE("mask values: soft edges need a threshold", "[masks]") {
  std::vector<float> soft;
  for (int i = 0; i <= 255; i += 3) soft.push_back(static_cast<float>(i));
  CHECK_THAT(problem_of({}, {soft}),
             ContainsSubstring("soft edges have (first in m.png); --mask-threshold 127.5"));
  CHECK_THAT(problem_of({}, {{0, 0.5F, 1}}), ContainsSubstring("--mask-threshold 0.5"));
  CHECK_THAT(problem_of({}, {{0, 128, 255}}), ContainsSubstring("--mask-threshold 127.5"));
  CHECK(MaskValues({.threshold = 127.5}, {}).binary(std::vector<float>{127, 128, 0}, "m") ==
        Bits{0, 1, 0});
  CHECK(problem_of({.threshold = 127.5}, {soft}).empty());
}

TEST_CASE("mask values: many values, labels among the last", "[masks]") {
  std::vector<float> many;
  for (int i = 0; i < 100; ++i) many.push_back(static_cast<float>(i));
  CHECK(problem_of({.labels = {99}}, {many}).empty());
  CHECK(!problem_of({.labels = {100}}, {many}).empty());
}

TEST_CASE("mask values: rules that say nothing are refused", "[masks]") {
  CHECK_THAT(error_of([] { MaskValues({.labels = {1}, .threshold = 0.5}, {}); }),
             ContainsSubstring("cannot both"));
  CHECK_THAT(error_of([] {
               MaskValues({.labels = {0, 1}}, {});
             }),
             ContainsSubstring("0 is background"));
  CHECK_THAT(error_of([] {
               MaskValues({}, {}).binary(std::vector<float>{0, std::nanf("")}, "m");
             }),
             ContainsSubstring("m: a mask with NaN"));
}
