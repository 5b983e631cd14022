// Learning curves of a run: loss and batch IoU by epoch, side by side, as one SVG.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>

namespace glia {

/// One epoch's figures. NaN means not measured (or not finite): the curve has a gap there.
struct EpochRow {
  double epoch = 0;  // 1 is the first
  double train_loss = std::numeric_limits<double>::quiet_NaN();
  double val_loss = std::numeric_limits<double>::quiet_NaN();
  double train_batch_iou = std::numeric_limits<double>::quiet_NaN();
  double val_batch_iou = std::numeric_limits<double>::quiet_NaN();
  double val_batch_iou_thresholded = std::numeric_limits<double>::quiet_NaN();
  double val_batch_dice_thresholded = std::numeric_limits<double>::quiet_NaN();
};

/// The epoch that a run keeps, and the figure that it was chosen by: "batch IoU 0.712".
struct BestEpoch {
  double epoch = 0;
  std::string figure;
};

/// Two panels: losses on an axis of their own range; on the axis 0 to 1 the batch IoU and, as
/// validation thresholds the prediction, IoU and Dice of that, with the best epoch in the title and
/// as a dotted line. A quantity that no row has is not drawn. `loss_name` labels the axis, for
/// example "-log(IoU)".
std::string learning_curves_svg(std::span<const EpochRow> rows, const std::string& loss_name,
                                const std::optional<BestEpoch>& best);

}  // namespace glia
