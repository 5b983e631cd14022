#include "models/unet/unet.h"

#include <array>
#include <nlohmann/json.hpp>

namespace glia {

UNet::UNet(const UNetConfig& config) : config_(config) {
  config_.validate();
  const std::int64_t depth = config_.depth;
  std::int64_t channels = config_.in_channels;
  for (std::int64_t level = 0; level < depth; ++level) {
    const double dropout = level == depth - 1 ? config_.dropout : 0;
    encoder_.push_back(
        make_block(fmt::format("encoder.{}", level), channels, width(level), dropout));
    channels = width(level);
  }
  bottleneck_ = make_block("bottleneck", channels, width(depth), config_.dropout);
  up_.resize(static_cast<std::size_t>(depth));
  decoder_.resize(static_cast<std::size_t>(depth));
  for (std::int64_t level = depth - 1; level >= 0; --level) {
    const auto i = static_cast<std::size_t>(level);
    const std::string name = fmt::format("decoder.{}", level);
    if (config_.up == UpPath::transpose)
      up_[i].transpose = {parameters_, name + ".up", width(level + 1), width(level)};
    else
      up_[i].conv = {parameters_, name + ".up", width(level + 1), width(level), 2, true};
    decoder_[i] = make_block(name, 2 * width(level), width(level), 0);
  }
  channels = width(0);
  if (config_.narrow_head) {
    narrow_ = {parameters_, "narrow", channels, 2, 3, true};
    channels = 2;
  }
  head_ = {parameters_, "head", channels, 1, 1, true};
}

UNet::Block UNet::make_block(const std::string& name, std::int64_t C, std::int64_t K,
                             double dropout) {
  const bool bias = config_.norm == nn::NormKind::none;  // a norm's shift takes the bias's place
  // Convolutions before norms: parameters draw their first values in this order.
  const nn::Conv2d conv1(parameters_, name + ".conv1", C, K, 3, bias);
  const nn::Conv2d conv2(parameters_, name + ".conv2", K, K, 3, bias);
  Block block;
  block.name = name;
  block.first = {conv1, {parameters_, name + ".norm1", K, config_.norm}};
  block.second = {conv2, {parameters_, name + ".norm2", K, config_.norm}};
  block.dropout = dropout;
  block.dropout_stream = dropouts_++;
  return block;
}

bool UNet::Block::drops(const nn::Pass& pass) const {
  return (pass.training || pass.dropout) && dropout > 0;
}

Tensor UNet::Block::dropped(nn::Pass& pass, const Tensor& x, const Tensor& out) const {
  const Tensor y = ops::materialise(pass.tape, second(pass, first.before(pass, x, second.conv)));
  // The kernel adds 65536 times the step, so fewer dropout layers than that never share a stream.
  const std::int64_t before = pass.first_image * (y.numel() / y.shape()[0]);
  return ops::dropout(pass.tape, y, dropout, pass.seed, dropout_stream, out, pass.step,
                      static_cast<std::uint64_t>(before));
}

Tensor UNet::Block::operator()(nn::Pass& pass, const Tensor& x, const Tensor& out) const {
  return pass.note(name, drops(pass) ? dropped(pass, x, out)
                                     : second(pass, first.before(pass, x, second.conv), out));
}

ops::Pooled UNet::Block::pooled(nn::Pass& pass, const Tensor& x, const Tensor& out) const {
  // A probe may ask for the result's gradient, which must be known before anything is computed of
  // it.
  if (drops(pass) || pass.probe != nullptr) {
    const Tensor y = (*this)(pass, x, out);
    return {y, ops::max_pool2d(pass.tape, y)};
  }
  return second.pooled(pass, first.before(pass, x, second.conv), out);
}

Tensor UNet::upsample(nn::Pass& pass, const Up& up, const Tensor& x, const Tensor& out) const {
  if (config_.up == UpPath::transpose) return up.transpose(pass, x, out);
  const Tensor wide = ops::upsample_nearest2d(pass.tape, ops::materialise(pass.tape, x), 2);
  return ops::relu(pass.tape, up.conv(pass, wide), out);
}

Tensor UNet::forward(nn::Pass& pass, const Tensor& images) {
  const Shape& s = images.shape();
  check(s.rank() == 4 && s[3] == config_.in_channels,
        "unet: found images {}, expected [N, H, W, {}]", s.str(), config_.in_channels);
  check(s[1] > 0 && s[2] > 0 && s[1] % size_multiple() == 0 && s[2] % size_multiple() == 0,
        "unet: found images of {}x{}, expected multiples of {} (2^depth); pad them or choose a "
        "smaller --depth",
        s[1], s[2], size_multiple());

  // Encoder and decoder of a level write side by side into one buffer: the concatenation.
  std::vector<Tensor> joined, skips;
  Tensor x = nn::as_activations(pass, images);
  for (std::int64_t level = 0; level < config_.depth; ++level) {
    const auto i = static_cast<std::size_t>(level);
    joined.push_back(Tensor::empty(
        images.device(), {s[0], s[1] >> level, s[2] >> level, 2 * width(level)}, x.dtype()));
    const ops::Pooled level_out = encoder_[i].pooled(pass, x, joined[i].channels(0, width(level)));
    skips.push_back(level_out.y);
    x = level_out.pooled;
  }
  x = bottleneck_(pass, x);
  for (std::int64_t level = config_.depth - 1; level >= 0; --level) {
    const auto i = static_cast<std::size_t>(level);
    const Tensor up = upsample(pass, up_[i], x, joined[i].channels(width(level), width(level)));
    x = decoder_[i](pass, ops::concat(pass.tape, std::array{skips[i], up}));
    joined.pop_back();  // what nothing needs any more goes back to the allocator here
    skips.pop_back();
  }
  if (config_.narrow_head) x = ops::relu(pass.tape, narrow_(pass, x));
  // Logits have the type of parameters whatever activations have.
  return head_(pass, x, Tensor::empty(images.device(), s.with_channels(1), images.dtype()));
}

nlohmann::json UNet::config() const {
  return config_.to_json();
}

}  // namespace glia
