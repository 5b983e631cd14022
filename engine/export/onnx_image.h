// What Glia does to an image before any network and to its map after it, in ONNX's operators, so
// that whoever runs the file does the same.
#pragma once

#include <cstdint>
#include <string>

#include "engine/data/preprocess.h"
#include "engine/export/onnx.h"

namespace glia::onnx {

/// What Preprocess::apply makes of the images [N,C,H,W] named `images`: computed in float64, as
/// there, since float32 loses a channel that is nearly constant.
std::string add_preprocess(Graph& graph, const Preprocess& preprocess, const std::string& images);

/// `x` [N,C,H,W], padded below and to the right by repeating its edge until both sides are
/// multiples of `multiple`, as NetworkInput (engine/train/predict.h) does.
std::string add_padding(Graph& graph, const std::string& x, std::int64_t multiple);

/// The part of a padded map that lies on the image, as `result`. Belongs to an `add_padding`.
std::string add_crop(Graph& graph, const std::string& map, const std::string& result);

}  // namespace glia::onnx
