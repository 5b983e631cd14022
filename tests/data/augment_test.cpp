#include "engine/data/augment.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "tests/catch.h"

using namespace glia;

namespace {

constexpr std::int64_t kHeight = 14, kWidth = 9, kChannels = 2;

/// Channel 0 is a ramp along x, channel 1 is random; the mask is where the ramp is above 4.
Slice make_slice() {
  Slice slice{.height = kHeight, .width = kWidth, .channels = kChannels, .image = {}, .mask = {}};
  Sequence draw(3, 1);
  for (std::int64_t y = 0; y < kHeight; ++y)
    for (std::int64_t x = 0; x < kWidth; ++x) {
      slice.image.push_back(static_cast<float>(x));
      slice.image.push_back(static_cast<float>(draw.normal()));
      slice.mask.push_back(x > 4 ? 1.0f : 0.0f);
    }
  return slice;
}

Slice augmented(const std::string& text, std::uint64_t seed = 1, std::int64_t epoch = 0,
                std::int64_t sample = 0) {
  Slice slice = make_slice();
  augment(slice, draw_augment(AugmentConfig::parse(text), seed, epoch, sample));
  return slice;
}

float& pixel(Slice& slice, std::int64_t y, std::int64_t x, std::int64_t c) {
  return slice.image[static_cast<std::size_t>((y * kWidth + x) * kChannels + c)];
}

const std::string kAll =
    "noise=0.05,brightness=0.1,rotate=15,scale=0.1,gamma=0.2,flip,flip-vertical";

}  // namespace

TEST_CASE("augment: a pure function of seed, epoch and sample") {
  const Slice first = augmented(kAll, 1, 2, 3), again = augmented(kAll, 1, 2, 3);
  CHECK(first.image == again.image);
  CHECK(first.mask == again.mask);
  CHECK(augmented(kAll, 9, 2, 3).image != first.image);
  CHECK(augmented(kAll, 1, 9, 3).image != first.image);
  CHECK(augmented(kAll, 1, 2, 9).image != first.image);
  CHECK(augmented(kAll, 1, 3, 2).image != first.image);
}

TEST_CASE("augment: none changes nothing") {
  const Slice before = make_slice(), after = augmented("none");
  CHECK(after.image == before.image);
  CHECK(after.mask == before.mask);
}

TEST_CASE("augment: a flip mirrors image and mask exactly, about half of the time") {
  Slice before = make_slice();
  for (const bool vertical : {false, true}) {
    int flipped = 0;
    for (std::int64_t sample = 0; sample < 200; ++sample) {
      Slice after = augmented(vertical ? "flip-vertical" : "flip", 1, 0, sample);
      if (after.image == before.image) {
        CHECK(after.mask == before.mask);
        continue;
      }
      ++flipped;
      bool equal = true;
      for (std::int64_t y = 0; y < kHeight; ++y)
        for (std::int64_t x = 0; x < kWidth; ++x) {
          const std::int64_t from_y = vertical ? kHeight - 1 - y : y;
          const std::int64_t from_x = vertical ? x : kWidth - 1 - x;
          for (std::int64_t c = 0; c < kChannels; ++c)
            equal &= pixel(after, y, x, c) == pixel(before, from_y, from_x, c);
          equal &= after.mask[static_cast<std::size_t>(y * kWidth + x)] ==
                   before.mask[static_cast<std::size_t>(from_y * kWidth + from_x)];
        }
      CHECK(equal);
    }
    CHECK(flipped > 70);
    CHECK(flipped < 130);
  }
}

TEST_CASE("augment: rotation and zoom take a ramp to the rotated, zoomed ramp") {
  // On v(x, y) = x the new image is middle + (cos a · dx + sin a · dy) / zoom inside the slice, so
  // angle and zoom can be read off two differences, and every other pixel must agree with them.
  double largest_angle = 0, largest_zoom = 0;
  for (std::int64_t sample = 0; sample < 50; ++sample) {
    Slice slice = augmented("rotate=20,scale=0.2", 1, 0, sample);
    const float centre = pixel(slice, 7, 4, 0);
    const double cosine = pixel(slice, 7, 5, 0) - centre, sine = pixel(slice, 8, 4, 0) - centre;
    const double angle = std::atan2(sine, cosine) * 180 / 3.14159265358979;
    const double zoom = 1 / std::hypot(cosine, sine);
    largest_angle = std::max(largest_angle, std::abs(angle));
    largest_zoom = std::max(largest_zoom, std::abs(zoom - 1));
    for (std::int64_t y = 0; y < kHeight; ++y)
      for (std::int64_t x = 0; x < kWidth; ++x) {
        const double dx = static_cast<double>(x) - 4, dy = static_cast<double>(y) - 6.5;
        const double expected = std::clamp(4 + cosine * dx + sine * dy, 0.0, 8.0);
        REQUIRE(pixel(slice, y, x, 0) == Approx(expected).margin(1e-4));
        const float mask = slice.mask[static_cast<std::size_t>(y * kWidth + x)];
        if (std::abs(expected - 4.5) > 1e-4) REQUIRE(mask == (expected > 4.5 ? 1.0f : 0.0f));
      }
  }
  CHECK(largest_angle > 15);
  CHECK(largest_angle <= 20.01);
  CHECK(largest_zoom > 0.15);
  CHECK(largest_zoom <= 0.2001);
}

TEST_CASE("augment: gamma keeps the range and the order, and bends the middle") {
  const double high = 8;
  double least = 1, most = 0;
  for (std::int64_t sample = 0; sample < 50; ++sample) {
    Slice slice = augmented("gamma=0.5", 1, 0, sample);
    CHECK(pixel(slice, 3, 0, 0) == 0.0f);
    CHECK(pixel(slice, 3, 8, 0) == Approx(high));
    const double exponent = std::log(pixel(slice, 3, 4, 0) / high) / std::log(0.5);
    CHECK(pixel(slice, 3, 2, 0) == Approx(high * std::pow(0.25, exponent)));
    least = std::min(least, std::log(exponent));
    most = std::max(most, std::log(exponent));
  }
  CHECK(least >= -0.5001);
  CHECK(least < -0.3);
  CHECK(most <= 0.5001);
  CHECK(most > 0.3);
}

TEST_CASE("augment: brightness is one offset, noise has the asked deviation") {
  const Slice before = make_slice();
  double mean = 0, deviation = 0;
  for (const float value : before.image) mean += value;
  mean /= static_cast<double>(before.image.size());
  for (const float value : before.image) deviation += (value - mean) * (value - mean);
  deviation = std::sqrt(deviation / static_cast<double>(before.image.size()));

  double squares = 0, count = 0, largest = 0;
  for (std::int64_t sample = 0; sample < 50; ++sample) {
    const Slice bright = augmented("brightness=0.3", 1, 0, sample);
    const double offset = bright.image[0] - before.image[0];
    largest = std::max(largest, std::abs(offset) / deviation);
    const Slice noisy = augmented("noise=0.1", 1, 0, sample);
    for (std::size_t i = 0; i < before.image.size(); ++i) {
      REQUIRE(bright.image[i] - before.image[i] == Approx(offset).margin(1e-5));
      squares += std::pow((noisy.image[i] - before.image[i]) / deviation, 2);
      ++count;
    }
    CHECK(noisy.mask == before.mask);
  }
  CHECK(largest > 0.2);
  CHECK(largest <= 0.3001);
  CHECK(std::sqrt(squares / count) == Approx(0.1).epsilon(0.05));
}

TEST_CASE("augment: masks stay in {0, 1} and a missing mask stays missing") {
  for (std::int64_t sample = 0; sample < 20; ++sample)
    for (const float value : augmented(kAll, 1, 0, sample).mask)
      REQUIRE((value == 0.0f || value == 1.0f));
  Slice slice = make_slice();
  slice.mask.clear();
  augment(slice, draw_augment(AugmentConfig::parse(kAll), 1, 2, 3));
  CHECK(slice.mask.empty());
  CHECK(slice.image == augmented(kAll, 1, 2, 3).image);
}

TEST_CASE("augment: text and JSON round trips") {
  for (const std::string& text : {std::string("none"), kAll, std::string("flip"),
                                  std::string("noise=0.1234567890123,rotate=7.5")}) {
    const AugmentConfig config = AugmentConfig::parse(text);
    CHECK(AugmentConfig::parse(config.str()) == config);
    CHECK(AugmentConfig::from_json(nlohmann::json::parse(config.to_json().dump())) == config);
  }
  CHECK(AugmentConfig::parse(kAll).str() == kAll);
  CHECK(AugmentConfig::parse("none").str() == "none");
}

TEST_CASE("augment: wrong texts are refused with the reason") {
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "unknown"},
           {"blur=1", "'blur=1' is unknown"},
           {"noise", "'noise' is unknown"},
           {"flip,flip", "'flip' stands twice"},
           {"noise=0.1,noise=0.2", "'noise' stands twice"},
           {"flip=1", "'flip=1' is unknown"},
           {"flip,", "'' is unknown"},
           {"noise=a", "'a' is not a number"},
           {"noise=", "'' is not a number"},
           {"noise=0.1x", "'0.1x' is not a number"},
           {"noise=-1", "expected 0 to 10"},
           {"noise=nan", "expected 0 to 10"},
           {"scale=1", "expected 0 to 0.9"}})
    CHECK_THROWS_WITH(AugmentConfig::parse(text), ContainsSubstring(reason));
  nlohmann::json json = AugmentConfig{}.to_json();
  json.erase("gamma");
  CHECK_THROWS_WITH(AugmentConfig::from_json(json), ContainsSubstring("'gamma' is missing"));
  json = AugmentConfig{}.to_json();
  json["twist"] = 0.5;
  CHECK_THROWS_WITH(AugmentConfig::from_json(json),
                    ContainsSubstring("'twist' is none that this version of Glia knows"));
}
