// The shapes of a few tensors tell which U-Net they belong to.
#include <algorithm>
#include <string_view>

#include "models/unet/unet_export.h"

namespace glia {

namespace {

constexpr std::string_view kFirst = "encoder.0.conv1.weight";

const SafeTensors::Entry* find(const SafeTensors& weights, std::string_view name) {
  const auto same = [&](const SafeTensors::Entry& entry) { return entry.name == name; };
  const auto at = std::find_if(weights.entries.begin(), weights.entries.end(), same);
  return at == weights.entries.end() ? nullptr : &*at;
}

const SafeTensors::Entry& need(const SafeTensors& weights, std::string_view name,
                               const std::string& file) {
  const SafeTensors::Entry* entry = find(weights, name);
  check(entry != nullptr && entry->shape.size() == 4,
        "{}: found no four-dimensional tensor '{}'; expected a U-Net with the names of "
        "docs/interchange.md",
        file, name);
  return *entry;
}

}  // namespace

std::string unet_name_prefix(const SafeTensors& weights) {
  for (const SafeTensors::Entry& entry : weights.entries) {
    const std::string_view name = entry.name;
    if (name.ends_with(kFirst) && name.size() > kFirst.size() &&
        name[name.size() - kFirst.size() - 1] == '.')
      return entry.name.substr(0, name.size() - kFirst.size());
  }
  return {};
}

UNetConfig unet_config_of(const SafeTensors& weights, const std::string& file) {
  const SafeTensors::Entry& first = need(weights, kFirst, file);  // [K,C,3,3]
  UNetConfig config{.in_channels = first.shape[1], .base_width = first.shape[0], .depth = 0};
  while (find(weights, fmt::format("encoder.{}.conv1.weight", config.depth))) ++config.depth;
  if (find(weights, "encoder.0.norm1.running_mean"))
    config.norm = nn::NormKind::batch;
  else
    config.norm =
        find(weights, "encoder.0.norm1.weight") ? nn::NormKind::group : nn::NormKind::none;
  // A transposed convolution has its inputs first, twice as many as outputs; a convolution last.
  const SafeTensors::Entry& up = need(weights, "decoder.0.up.weight", file);
  config.up = up.shape[0] == 2 * config.base_width ? UpPath::transpose : UpPath::upsample;
  config.narrow_head = find(weights, "narrow.weight") != nullptr;
  config.validate();
  return config;
}

}  // namespace glia
