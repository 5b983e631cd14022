// The U-Net (Ronneberger, Fischer & Brox, 2015) with "same" padding: an encoder that halves the
// image `depth` times, a decoder that doubles it again, and a skip connection at each level.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/nn/layers.h"

namespace glia {

/// How the decoder doubles the image.
enum class UpPath {
  transpose,  // 2x2 transposed convolution of stride 2
  upsample,   // nearest-neighbour upsampling, a 2x2 "same" convolution and ReLU
};

struct UNetConfig {
  std::int64_t in_channels = 3;
  std::int64_t base_width = 32;  // channels of the first level; they double at each level
  std::int64_t depth = 4;        // number of halvings
  nn::NormKind norm = nn::NormKind::batch;
  UpPath up = UpPath::transpose;
  double dropout = 0;        // after the two deepest blocks of the encoder
  bool narrow_head = false;  // a 3x3 convolution to 2 channels with ReLU before the last layer

  /// The notebook's network: no norm, upsampling, dropout 0.5, the narrow head. Its head dies
  /// easily: once both ReLU channels are 0 everywhere, no gradient reaches anything but the last
  /// bias.
  static UNetConfig seed();

  nlohmann::json to_json() const;
  /// Throws `Error` naming the field that is missing or out of range.
  static UNetConfig from_json(const nlohmann::json& json);
  /// Throws `Error` when a field is out of range.
  void validate() const;
};

const char* name_of(UpPath up);
/// Throws `Error` listing the choices.
UpPath parse_up(std::string_view text);

class UNet : public nn::Model {
 public:
  explicit UNet(const UNetConfig& config);

  /// images [N,H,W,in_channels] -> logits [N,H,W,1]. H and W must be multiples of 2^depth. A probe
  /// can ask for what the blocks give: encoder.0 (the widest) to encoder.<depth-1>, bottleneck,
  /// decoder.<depth-1> to decoder.0.
  Tensor forward(nn::Pass& pass, const Tensor& images) override;
  nn::ParameterSet& parameters() override { return parameters_; }
  nlohmann::json config() const override;
  std::int64_t in_channels() const override { return config_.in_channels; }
  std::int64_t size_multiple() const override { return std::int64_t{1} << config_.depth; }

 private:
  /// Two 3x3 convolutions, each with norm and ReLU.
  struct Block {
    std::string name;
    nn::ConvNormRelu first, second;
    double dropout = 0;
    std::uint64_t dropout_stream = 0;

    /// The result, perhaps deferred, in `out` where that is given.
    Tensor operator()(nn::Pass& pass, const Tensor& x, const Tensor& out = {}) const;
    /// And max_pool2d of it.
    ops::Pooled pooled(nn::Pass& pass, const Tensor& x, const Tensor& out) const;

   private:
    bool drops(const nn::Pass& pass) const;
    Tensor dropped(nn::Pass& pass, const Tensor& x, const Tensor& out) const;
  };
  struct Up {
    nn::ConvTranspose2d transpose;
    nn::Conv2d conv;
  };

  Block make_block(const std::string& name, std::int64_t C, std::int64_t K, double dropout);
  Tensor upsample(nn::Pass& pass, const Up& up, const Tensor& x, const Tensor& out) const;
  std::int64_t width(std::int64_t level) const { return config_.base_width << level; }

  UNetConfig config_;
  nn::ParameterSet parameters_;
  std::vector<Block> encoder_, decoder_;  // by level
  std::vector<Up> up_;
  Block bottleneck_;
  nn::Conv2d narrow_, head_;
  std::uint64_t dropouts_ = 0;
};

}  // namespace glia
