// The U-Net's forward pass in ONNX's operators; what it computes must be what UNet::forward does.
#include <algorithm>

#include "engine/export/layout.h"
#include "engine/export/onnx_image.h"
#include "models/unet/unet_export.h"

namespace glia {

namespace {

using Values = std::vector<std::int64_t>;

/// Adds the layers of engine/nn to a graph, with the parameters of their names.
class Layers {
 public:
  Layers(onnx::Graph& graph, const nn::ParameterSet& set) : graph_(graph), set_(set) {}

  /// The parameter or buffer as a constant; `shape` where it is to have another one.
  std::string constant(const std::string& name, const Values& shape = {}) {
    const nn::Parameter& p = find(name);
    Values own;
    for (int d = 0; d < p.shape.rank(); ++d) own.push_back(p.shape[d]);
    const auto values = channels_second(p.value.to_vector<float>(), own);
    return graph_.constant(name, shape.empty() ? channels_second(own) : shape, values);
  }

  std::string conv(const std::string& name, const std::string& x, std::int64_t R, bool bias,
                   const std::string& result) {
    std::vector<std::string> inputs{x, constant(name + ".weight")};
    if (bias) inputs.push_back(constant(name + ".bias"));
    const Padding p = Padding::same(R, R);
    return graph_.add(
        "Conv", result, inputs,
        {{"kernel_shape", Values{R, R}}, {"pads", Values{p.top, p.left, p.bottom, p.right}}});
  }

  std::string conv_transpose(const std::string& name, const std::string& x) {
    return graph_.add("ConvTranspose", name,
                      {x, constant(name + ".weight"), constant(name + ".bias")},
                      {{"kernel_shape", Values{2, 2}}, {"strides", Values{2, 2}}});
  }

  std::string relu(const std::string& x) { return graph_.add("Relu", x + ".relu", {x}); }

  std::string norm(const std::string& name, nn::NormKind kind, const std::string& x) {
    if (kind == nn::NormKind::none) return x;
    if (kind == nn::NormKind::group) return group_norm(name, x);
    const auto epsilon = static_cast<float>(ops::BatchNormState{}.epsilon);
    return graph_.add("BatchNormalization", name,
                      {x, constant(name + ".weight"), constant(name + ".bias"),
                       constant(name + ".running_mean"), constant(name + ".running_var")},
                      {{"epsilon", epsilon}});
  }

 private:
  /// Operator set 17 has no group norm. Its instance norm, over the groups as if they were
  /// channels, would do, but ONNX Runtime's adds up whole groups in float32: up to 1e-4 off in a
  /// probability.
  std::string group_norm(const std::string& name, const std::string& x) {
    const std::int64_t C = find(name + ".weight").shape[0], groups = nn::group_count(C);
    const auto add = [&](const std::string& op, const std::string& result,
                         const std::vector<std::string>& inputs) {
      return graph_.add(op, name + result, inputs);
    };
    const std::string grouping = graph_.constant(name + ".groups", Values{0, groups, -1});
    // Rows are short enough for float32; their means [N,C,H,1] are few enough for float64.
    const auto average = [&](const std::string& what, const std::string& values) {
      const auto mean = [&](const std::string& result, const std::string& of, std::int64_t axis) {
        return graph_.add("ReduceMean", name + what + result, {of}, {{"axes", Values{axis}}});
      };
      const std::string rows = graph_.to_float64(name + what + ".wide", mean(".rows", values, 3));
      return mean("", add("Reshape", what + ".grouped", {rows, grouping}), 2);
    };
    const auto narrow = [&](const std::string& what, const std::string& values) {
      return graph_.to_float32(name + what + ".narrow", values);
    };
    const double epsilon[] = {1e-5};
    const std::string shape = add("Shape", ".shape", {x});
    const std::string grouped = add("Reshape", ".grouped", {x, grouping});
    const std::string centred =
        add("Sub", ".centred", {grouped, narrow(".mean", average(".mean", x))});
    const std::string squared = add("Mul", ".squared", {centred, centred});
    const std::string variance =
        average(".variance", add("Reshape", ".squared.back", {squared, shape}));
    const std::string above_zero =
        add("Add", ".above_zero", {variance, graph_.constant(name + ".epsilon", {1}, epsilon)});
    const std::string even =
        add("Div", ".even", {centred, narrow(".std", add("Sqrt", ".std", {above_zero}))});
    const std::string back = add("Reshape", ".back", {even, shape});
    const std::string scaled = add("Mul", ".scaled", {back, constant(name + ".weight", {C, 1, 1})});
    return graph_.add("Add", name, {scaled, constant(name + ".bias", {C, 1, 1})});
  }

  const nn::Parameter& find(const std::string& name) const {
    for (const auto* list : {&set_.parameters(), &set_.buffers()})
      for (const nn::Parameter& p : *list)
        if (p.name == name) return p;
    fail("onnx: the network has no parameter '{}'", name);
  }

  onnx::Graph& graph_;
  const nn::ParameterSet& set_;
};

}  // namespace

onnx::Graph unet_onnx(const UNetConfig& config, const nn::ParameterSet& parameters,
                      const Preprocess& preprocess) {
  onnx::Graph g("unet");
  g.add_input("image", {"batch", config.in_channels, "height", "width"});
  Layers layers(g, parameters);
  const bool bias = config.norm == nn::NormKind::none;
  const auto block = [&](const std::string& name, std::string x) {
    for (const std::string number : {"1", "2"}) {
      const std::string conv = name + ".conv" + number;
      x = layers.conv(conv, x, 3, bias, conv);
      x = layers.relu(layers.norm(name + ".norm" + number, config.norm, x));
    }
    return x;
  };

  std::string x = onnx::add_padding(g, onnx::add_preprocess(g, preprocess, "image"),
                                    std::int64_t{1} << config.depth);
  std::vector<std::string> skips;
  for (std::int64_t level = 0; level < config.depth; ++level) {
    const std::string name = fmt::format("encoder.{}", level);
    skips.push_back(block(name, x));
    x = g.add("MaxPool", name + ".pool", {skips.back()},
              {{"kernel_shape", Values{2, 2}}, {"strides", Values{2, 2}}});
  }
  x = block("bottleneck", x);
  for (std::int64_t level = config.depth - 1; level >= 0; --level) {
    const std::string name = fmt::format("decoder.{}", level), up = name + ".up";
    if (config.up == UpPath::transpose) {
      x = layers.conv_transpose(up, x);
    } else {
      const float scales[] = {1, 1, 2, 2};
      x = g.add("Resize", up + ".wide", {x, "", g.constant(up + ".scales", {4}, scales)},
                {{"mode", std::string("nearest")},
                 {"nearest_mode", std::string("floor")},
                 {"coordinate_transformation_mode", std::string("asymmetric")}});
      x = layers.relu(layers.conv(up, x, 2, true, up));
    }
    const std::string& skip = skips[static_cast<std::size_t>(level)];
    x = block(name, g.add("Concat", name + ".joined", {skip, x}, {{"axis", std::int64_t{1}}}));
  }
  if (config.narrow_head) x = layers.relu(layers.conv("narrow", x, 3, true, "narrow"));
  onnx::add_crop(g, layers.conv("head", x, 1, true, "head"), "logits");
  g.add("Sigmoid", "probability", {"logits"});
  for (const char* output : {"logits", "probability"})
    g.add_output(output, {"batch", std::int64_t{1}, "height", "width"});
  return g;
}

}  // namespace glia
