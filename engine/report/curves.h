// Learning curves of a run: loss and batch IoU by epoch, side by side, as one SVG.
#pragma once

#include <limits>
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
};

/// Two panels: losses on an axis of their own range, batch IoU on the axis 0 to 1 with the best
/// validation epoch in the title. A quantity that no row has is not drawn. `loss_name` labels the
/// axis, for example "-log(IoU)".
std::string learning_curves_svg(std::span<const EpochRow> rows, const std::string& loss_name);

}  // namespace glia
