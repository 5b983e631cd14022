#include "engine/train/loss.h"

#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

TEST_CASE("objective: sums of losses are what their parts say", "[loss]") {
  const auto cpu = make_cpu_device(1);
  const std::vector<float> z = {0.5f, -1, 2, -3}, t = {1, 0, 1, 0};
  const Tensor logits = Tensor::from<float>(*cpu, {1, 2, 2, 1}, z);
  const Tensor target = Tensor::from<float>(*cpu, {1, 2, 2, 1}, t);
  const auto loss = [&](const char* text) {
    Tape tape(*cpu, Tape::Mode::off);
    return Objective::parse(text, Region::batch, 1)(tape, logits, target).loss.item();
  };
  CHECK(loss("iou+0.5*bce") == Approx(loss("iou") + 0.5 * loss("bce")));
  CHECK(loss("dice+2*iou+bce") == Approx(loss("dice") + 2 * loss("iou") + loss("bce")));
}

TEST_CASE("objective: the batch IoU is reported whatever the loss", "[loss]") {
  const auto cpu = make_cpu_device(1);
  const std::vector<float> z = {40, -40, 40, -40}, t = {1, 1, 0, 0};
  const Tensor logits = Tensor::from<float>(*cpu, {2, 1, 2, 1}, z);
  const Tensor target = Tensor::from<float>(*cpu, {2, 1, 2, 1}, t);
  for (const char* text : {"iou", "bce", "dice"})
    for (Region region : {Region::batch, Region::image}) {
      Tape tape(*cpu, Tape::Mode::off);
      const auto value = Objective::parse(text, region, 1)(tape, logits, target);
      CHECK(value.batch_sums().iou() == Approx((1 + 1.0) / (3 + 1.0)));
    }
}

TEST_CASE("objective: text is read back, and typos are refused", "[loss]") {
  CHECK(Objective::parse("iou+0.5*bce", Region::batch, 1).str() == "iou+0.5*bce");
  const auto message = [](const char* text) {
    return error_of([&] { Objective::parse(text, Region::batch, 1); });
  };
  CHECK(message("iuo") ==
        "--loss: found 'iuo' in 'iuo', expected iou, bce, dice or a sum such as iou+0.5*bce");
  CHECK(message("iou+") ==
        "--loss: found '' in 'iou+', expected iou, bce, dice or a sum such as iou+0.5*bce");
  for (const std::string weight : {"x", "0", "1e300", "1e-320"})
    CHECK(message((weight + "*bce").c_str()) ==
          "--loss: found the weight '" + weight + "' in '" + weight +
              "*bce', expected a number above 0, within the range of float32");
  CHECK_FALSE(error_of([] { Objective::parse("iou", Region::batch, 1e300); }).empty());
  CHECK(error_of([] { Objective::parse("iou", Region::batch, 0); }) ==
        "--smooth: found 0, expected more than 0, within the range of float32");
}
