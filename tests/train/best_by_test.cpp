#include "engine/train/best_by.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/data/slices.h"

using namespace glia;

namespace {

MetricsRow row(std::int64_t epoch, double iou, double hard_iou, double dice, double loss) {
  return {.epoch = epoch,
          .val_loss = loss,
          .val_batch_iou = iou,
          .val_batch_iou_thresholded = hard_iou,
          .val_batch_dice_thresholded = dice};
}

}  // namespace

TEST_CASE("best by: each figure has its own best epoch, the first of equal ones", "[train]") {
  const std::vector<MetricsRow> rows = {row(1, 0.5, 0.1, 0.2, 0.4), row(2, 0.4, 0.6, 0.2, 0.3),
                                        row(3, 0.5, 0.6, 0.7, 0.3), row(4, 0.1, 0.2, 0.3, 0.2)};
  const auto best = [&](const char* name) { return *best_epoch(rows, parse_best_by(name)); };
  CHECK(best("batch-iou").epoch == 1);
  CHECK(best("batch-iou").figure == "batch IoU 0.500");
  CHECK(best("batch-iou-thresholded").epoch == 2);
  CHECK(best("batch-dice-thresholded").epoch == 3);
  CHECK(best("loss").epoch == 4);
  CHECK(best("loss").figure == "loss 0.200");
  CHECK_FALSE(best_epoch({}, BestBy::loss));
  CHECK(error_of([] { parse_best_by("dice"); }) ==
        "--best-by: found 'dice', expected one of batch-iou, batch-iou-thresholded, "
        "batch-dice-thresholded, loss");
}

TEST_CASE("metrics: epochs of earlier versions have no Dice, and keep having none", "[train]") {
  nlohmann::json json = row(1, 0.5, 0.1, 0.2, 0.4).to_json();
  CHECK(MetricsRow::from_json(json, "m").val_batch_dice_thresholded == 0.2);
  json.erase("val_batch_dice_thresholded");
  const MetricsRow old = MetricsRow::from_json(json, "m");
  CHECK(std::isnan(old.val_batch_dice_thresholded));
  const auto again = nlohmann::json::parse(old.to_json().dump());
  CHECK(std::isnan(MetricsRow::from_json(again, "m").val_batch_dice_thresholded));
}
