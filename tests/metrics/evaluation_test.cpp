// Scores by hand-counted examples: the empty-mask rules, the three averages, the batch IoU.
#include <string>

#include "engine/base/check.h"
#include "engine/metrics/evaluation.h"
#include "tests/catch.h"

using glia::Counts;
using glia::Evaluation;
using glia::Summary;

TEST_CASE("scores follow their formulas", "[metrics]") {
  const Counts counts{.tp = 6, .fp = 2, .fn = 4, .tn = 88};
  CHECK(counts.dice().value() == Approx(12.0 / 18));
  CHECK(counts.iou().value() == Approx(6.0 / 12));
  CHECK(counts.precision().value() == Approx(6.0 / 8));
  CHECK(counts.sensitivity().value() == Approx(6.0 / 10));
  CHECK(counts.specificity().value() == Approx(88.0 / 90));
  CHECK(counts.pixel_accuracy().value() == Approx(94.0 / 100));
  CHECK(counts.volume_error().value() == Approx(8.0 / 10 - 1));
  CHECK(counts.absolute_volume_error().value() == Approx(0.2));
}

TEST_CASE("empty masks: both undefined, one side zero", "[metrics]") {
  const Counts both{.tn = 100}, missed{.fn = 5, .tn = 95}, invented{.fp = 5, .tn = 95};
  CHECK_FALSE(both.dice());
  CHECK_FALSE(both.iou());
  CHECK_FALSE(both.precision());
  CHECK_FALSE(both.sensitivity());
  CHECK_FALSE(both.volume_error());
  CHECK_FALSE(both.absolute_volume_error());
  CHECK(both.pixel_accuracy() == 1.0);
  CHECK(missed.dice() == 0.0);
  CHECK(missed.iou() == 0.0);
  CHECK(missed.sensitivity() == 0.0);
  CHECK_FALSE(missed.precision());
  CHECK(invented.dice() == 0.0);
  CHECK(invented.iou() == 0.0);
  CHECK(invented.precision() == 0.0);
  CHECK_FALSE(invented.sensitivity());
  const Counts all_tumour{.tp = 4};
  CHECK_FALSE(all_tumour.specificity());
}

TEST_CASE("the three averages weigh slices, patients and pixels", "[metrics]") {
  Evaluation evaluation;
  evaluation.add("1", "a", {.tp = 10, .tn = 90});                      // IoU 1
  evaluation.add("2", "a", {.tp = 20, .fp = 40, .fn = 20, .tn = 20});  // IoU 0.25
  evaluation.add("3", "b", {.fn = 10, .tn = 90});                      // IoU 0
  evaluation.add("4", "b", {.tn = 100});                               // undefined
  evaluation.add("5", "c", {.fp = 2, .tn = 98});                       // IoU 0
  evaluation.add("6", "d", {.tn = 100});                               // undefined
  const Summary summary = evaluation.summary();

  CHECK(summary.per_slice.iou.mean.value() == Approx((1 + 0.25 + 0 + 0) / 4));
  CHECK(summary.per_slice.iou.defined == 4);
  CHECK(summary.per_slice.iou.undefined == 2);
  CHECK(summary.per_patient.iou.mean.value() == Approx((30.0 / 90 + 0 + 0) / 3));
  CHECK(summary.per_patient.iou.defined == 3);
  CHECK(summary.per_patient.iou.undefined == 1);
  CHECK(summary.pooled.iou.mean.value() == Approx(30.0 / (30 + 42 + 30)));
  CHECK(summary.pooled.dice.mean.value() == Approx(60.0 / (60 + 42 + 30)));
  CHECK(summary.pooled.pixel_accuracy.mean.value() == Approx((30.0 + 498) / 600));

  CHECK(summary.slices == 6);
  CHECK(summary.patients == 4);
  CHECK(summary.slices_with_tumour == 3);
  CHECK(summary.slices_without_tumour == 3);
  CHECK(summary.slices_both_empty == 2);
  CHECK(summary.slices_missed == 1);
  CHECK(summary.slices_false_positive == 1);
  CHECK(summary.false_positive_rate.mean.value() == Approx(1.0 / 3));
  CHECK(summary.false_positive_rate.defined == 3);
  CHECK(summary.counts.total() == 600);
}

TEST_CASE("volume errors cancel in a mean, their sizes do not", "[metrics]") {
  Evaluation evaluation;
  evaluation.add("1", "a", {.tp = 10, .fp = 5, .tn = 85});  // half too much
  evaluation.add("2", "b", {.tp = 5, .fn = 5, .tn = 90});   // half too little
  const Summary summary = evaluation.summary();
  CHECK(summary.per_patient.volume_error.mean.value() == Approx(0).margin(1e-15));
  CHECK(summary.per_patient.absolute_volume_error.mean.value() == Approx(0.5));
  CHECK(summary.pooled.absolute_volume_error.mean.value() == Approx(0).margin(1e-15));
}

TEST_CASE("HD95 is a mean over slices, and over patients of that", "[metrics]") {
  Evaluation evaluation("mm");
  evaluation.add("1", "a", {.tp = 1, .tn = 3}, 2.0);
  evaluation.add("2", "a", {.tp = 1, .tn = 3}, 4.0);
  evaluation.add("3", "a", {.tn = 4});
  evaluation.add("4", "b", {.tp = 1, .tn = 3}, 9.0);
  evaluation.add("5", "c", {.tn = 4});
  const Summary summary = evaluation.summary();
  CHECK(summary.distance_unit == "mm");
  CHECK(summary.per_slice.hd95.mean.value() == Approx(5));
  CHECK(summary.per_slice.hd95.defined == 3);
  CHECK(summary.per_patient.hd95.mean.value() == Approx(6));
  CHECK(summary.per_patient.hd95.undefined == 1);
  CHECK_FALSE(summary.pooled.hd95.mean);
}

TEST_CASE("patients keep the order of first appearance and pool interleaved slices", "[metrics]") {
  Evaluation evaluation;
  evaluation.add("1", "z", {.tp = 1, .tn = 3});
  evaluation.add("2", "a", {.tp = 2, .tn = 2});
  evaluation.add("3", "z", {.fn = 4});
  evaluation.add("4", "", {.fp = 4});
  const auto patients = evaluation.patients();
  REQUIRE(patients.size() == 2);
  CHECK(patients[0].id == "z");
  CHECK(patients[0].slices == 2);
  CHECK(patients[0].counts.iou().value() == Approx(0.2));
  CHECK(patients[1].id == "a");
  CHECK(evaluation.summary().slices_of_unknown_patient == 1);
  CHECK(evaluation.summary().per_slice.iou.defined == 4);
}

TEST_CASE("batch IoU is a mean over batches with smooth 1", "[metrics]") {
  Evaluation evaluation;
  CHECK_FALSE(evaluation.summary().batch_iou);
  evaluation.add_batch_iou(3.5, 6.0, {.tp = 3, .fp = 1, .fn = 2, .tn = 10});
  evaluation.add_batch_iou(0.0, 0.5, {.tn = 16});
  const Summary summary = evaluation.summary();
  CHECK(summary.batches == 2);
  CHECK(summary.batch_iou.value() == Approx((4.5 / 7.0 + 1 / 1.5) / 2));
  CHECK(summary.batch_iou_thresholded.value() == Approx((4.0 / 7.0 + 1) / 2));
  CHECK(summary.batch_dice_thresholded.value() == Approx((7.0 / 10.0 + 1) / 2));
}

TEST_CASE("impossible counts are refused by name", "[metrics]") {
  Evaluation evaluation;
  std::string message;
  try {
    evaluation.add("12", "a", {.tp = -1, .tn = 5});
  } catch (const glia::Error& error) {
    message = error.what();
  }
  CHECK(message.find("slice 12") != std::string::npos);
  CHECK(message.find("tp -1") != std::string::npos);
  CHECK_THROWS_AS(evaluation.add("12", "a", {}), glia::Error);
  CHECK(evaluation.slices().empty());
}
