// Networks of one or two operations, whose explanations can be written down.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "engine/nn/model.h"
#include "engine/ops/ops.h"

namespace glia::test {

class SmallNet : public nn::Model {
 public:
  using Forward = std::function<Tensor(nn::Pass&, const Tensor& images)>;
  SmallNet(std::int64_t channels, Forward forward)
      : channels_(channels), forward_(std::move(forward)) {}

  Tensor forward(nn::Pass& pass, const Tensor& images) override { return forward_(pass, images); }
  nn::ParameterSet& parameters() override { return parameters_; }
  nlohmann::json config() const override { return {{"model", "small"}}; }
  std::int64_t in_channels() const override { return channels_; }
  std::int64_t size_multiple() const override { return 1; }

 private:
  std::int64_t channels_;
  Forward forward_;
  nn::ParameterSet parameters_;
};

inline const ConvSpec kPointwise{.stride_h = 1, .stride_w = 1, .padding = {}};

/// A constant of the device.
inline Tensor constant(Device& device, const Shape& shape, const std::vector<float>& values) {
  return Tensor::from<float>(device, shape, values);
}

}  // namespace glia::test
