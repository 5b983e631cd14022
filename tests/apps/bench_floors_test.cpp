// The floors of a step against numbers worked out by hand for a network of eight layers, and
// against a second program of the same model for the published network.
#include "benchmarks/suite/floors.h"
#include "tests/catch.h"

using namespace glia;

namespace {

// Rates of 1 a second: a kernel takes as many seconds as it has operations or bytes.
const bench::Peaks kUnit{.flops = 1, .bytes = 1};

}  // namespace

TEST_CASE("bench: a kernel's roof is the slower of arithmetic and memory", "[bench]") {
  const bench::Peaks peaks{.flops = 100, .bytes = 10};
  CHECK(bench::roof(peaks, 1000, 10).seconds == 10);
  CHECK(bench::roof(peaks, 1000, 10).bound_by_compute);
  CHECK(bench::roof(peaks, 1000, 500).seconds == 50);
  CHECK_FALSE(bench::roof(peaks, 1000, 500).bound_by_compute);
  CHECK(bench::roof({.flops = 0, .bytes = 10}, 1000, 500).seconds == 0);
}

TEST_CASE("bench: the floors of a network small enough to count", "[bench]") {
  // Two images of 2x2x3, widths 1 and 2. Floats of x, w and y of each layer:
  //   encoder.conv1 24 27 8   encoder.conv2 8 9 8, pooled into 2   middle.conv1 2 18 4
  //   middle.conv2 4 36 4     up 4 8 8    decoder.conv1 16 18 8    decoder.conv2 8 9 8    head 8 1
  //   8
  // Adam reads and writes 432 floats of weights and two moments and reads the gradients, gaps
  // included: 3024.
  const auto step = bench::record_training_step({.base_width = 1, .depth = 1}, 2, 2);
  const auto floors = bench::step_floors(step, kUnit);
  REQUIRE(floors.size() == 4);

  // S0 forward: x + w + y of all layers 256; statistics, normalisation and ReLU 5 y of the six with
  // y in all 40: 200; pooling 10 and two bytes; concatenation 32; bias 16; sigmoid and loss 32.
  // Backward: loss, sigmoid and the head's two 24 + 24 + 17 + 17; up 8 + 20 + 20; ReLU and
  // normalisation 8 y: 320; pooling 10 and two bytes; sum of two gradients 24; the concatenation's
  // 32; dgrad of five 160, wgrad of six 219. Adam 3024, zeroing 432.
  CHECK(floors[0].bytes == 4 * (546 + 895 + 3024 + 432) + 4);
  CHECK(floors[0].kernels == 72);

  // S1 forward: layers without the head 239, head with loss 25, statistics 40, one pass 2 y and the
  // pooled ones 82, their places in half a byte. Backward: head 34; up 40; passes of 2 y and 3 y
  // 200, each reads what was pooled; dgrad 160, wgrad 219.
  CHECK(floors[1].bytes == 4 * (386 + 657 + 3024) + 1.5);
  CHECK(floors[1].kernels == 47);

  // S2: no statistics. Backward: up reads 2 x: 44; one pass of 3 y: 120; dgrad reads what its input
  // was made of: 33, 46 and half a byte (scattered into the 8 that were pooled, added, masked), 48,
  // 42, 33.
  CHECK(floors[2].bytes == 4 * (346 + 619 + 3024) + 1);
  CHECK(floors[2].kernels == 35);

  // S3: no pass at all; the pooled ones are written by the convolution: 266. Backward: head 26; dy
  // is formed from 2 y, next to the head from y and 2 * 8: dgrad 41 + 50 + 52 + 50 + 49, wgrad 267.
  CHECK(floors[3].bytes == 4 * (266 + 579 + 3024) + 1);
  CHECK(floors[3].kernels == 23);

  // 2 x pixels x weights: 432 + 144 + 72 + 144 + 32 + 288 + 144 + 16 forward, twice that backward
  // but for the images' gradient.
  for (const bench::Floor& floor : floors) CHECK(floor.flops == 1272 + 2 * 1272 - 432);
}

TEST_CASE("bench: the floors of the published network", "[bench]") {
  const auto step = bench::record_training_step({.base_width = 64}, 12, 240);
  const auto floors = bench::step_floors(step, {.flops = 60e12, .bytes = 3e12});
  const double bytes[] = {34631570176, 22485032384, 20019176384, 15274779584};
  const int kernels[] = {210, 140, 104, 68};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(floors[i].bytes == bytes[i]);
    CHECK(floors[i].kernels == kernels[i]);
    CHECK(floors[i].flops == 3045703680000);
    CHECK(floors[i].seconds >= floors[i].compute_seconds);
    CHECK((i == 0 || floors[i].seconds < floors[i - 1].seconds));
  }
}

TEST_CASE("bench: where arithmetic is everything, the floor is the arithmetic", "[bench]") {
  const auto step = bench::record_training_step({.base_width = 4, .depth = 2}, 1, 16);
  for (const bench::Floor& floor : bench::step_floors(step, {.flops = 1, .bytes = 1e30})) {
    CHECK(floor.seconds == Approx(floor.flops));
    CHECK(floor.compute_seconds == Approx(floor.flops));
  }
}

TEST_CASE("bench: other networks have no floors, unknown peaks no times", "[bench]") {
  const UNetConfig upsampling{.base_width = 4, .depth = 1, .up = UpPath::upsample};
  CHECK(bench::step_floors(bench::record_training_step(upsampling, 1, 4), kUnit).empty());
  const auto step = bench::record_training_step({.base_width = 4, .depth = 1}, 1, 4);
  for (const bench::Floor& floor : bench::step_floors(step, {})) CHECK(floor.seconds == 0);
}
