#include "engine/export/onnx_image.h"

#include <algorithm>
#include <vector>

namespace glia::onnx {

namespace {

using Values = std::vector<std::int64_t>;

constexpr const char* kImageSize = "image.size";  // [2]: height, width

/// Mean and standard deviation of each channel, in float64.
struct Statistics {
  std::string mean, deviation;
};

/// Those of the training slices.
Statistics constants(Graph& graph, const Preprocess& preprocess) {
  const Values shape{static_cast<std::int64_t>(preprocess.mean.size()), 1, 1};
  const std::vector<double> mean(preprocess.mean.begin(), preprocess.mean.end());
  std::vector<double> deviation;
  for (const float value : preprocess.stddev)
    deviation.push_back(std::max<double>(value, Preprocess::kSmallestDeviation));
  return {graph.constant("preprocess.mean", shape, mean),
          graph.constant("preprocess.std", shape, deviation)};
}

/// Those of each image itself.
Statistics measured(Graph& graph, const std::string& wide) {
  const auto average = [&](const std::string& result, const std::string& x) {
    return graph.add("ReduceMean", result, {x},
                     {{"axes", Values{2, 3}}, {"keepdims", std::int64_t{1}}});
  };
  const std::string mean = average("preprocess.mean", wide);
  const std::string distance = graph.add("Sub", "preprocess.distance", {wide, mean});
  const std::string variance =
      average("preprocess.variance", graph.add("Mul", "preprocess.squared", {distance, distance}));
  const double smallest[] = {Preprocess::kSmallestDeviation};
  return {mean, graph.add("Max", "preprocess.std",
                          {graph.add("Sqrt", "preprocess.root", {variance}),
                           graph.constant("preprocess.smallest", {1}, smallest)})};
}

}  // namespace

std::string add_preprocess(Graph& graph, const Preprocess& preprocess, const std::string& images) {
  using Normalize = Preprocess::Normalize;
  if (preprocess.normalize == Normalize::none) return images;
  const std::string wide = graph.to_float64("preprocess.wide", images);
  const Statistics s = preprocess.normalize == Normalize::dataset ? constants(graph, preprocess)
                                                                  : measured(graph, wide);
  const std::string centred = graph.add("Sub", "preprocess.centred", {wide, s.mean});
  return graph.to_float32("preprocess",
                          graph.add("Div", "preprocess.scaled", {centred, s.deviation}));
}

std::string add_padding(Graph& graph, const std::string& x, std::int64_t multiple) {
  const std::string size =
      graph.add("Shape", kImageSize, {x}, {{"start", std::int64_t{2}}, {"end", std::int64_t{4}}});
  // What is left over of -n is what n lacks: Mod has the sign of its second argument.
  const std::string missing = graph.add(
      "Mod", "image.missing",
      {graph.add("Neg", "image.negative", {size}), graph.constant("image.multiple", {multiple})});
  const std::string pads =
      graph.add("Concat", "image.pads", {graph.constant("image.no_pads", Values(6, 0)), missing},
                {{"axis", std::int64_t{0}}});
  return graph.add("Pad", "image.padded", {x, pads}, {{"mode", std::string("edge")}});
}

std::string add_crop(Graph& graph, const std::string& map, const std::string& result) {
  return graph.add("Slice", result,
                   {map, graph.constant("crop.starts", {0, 0}), kImageSize,
                    graph.constant("crop.axes", {2, 3})});
}

}  // namespace glia::onnx
