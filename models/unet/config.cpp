#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "models/unet/unet.h"

namespace glia {

UNetConfig UNetConfig::seed() {
  UNetConfig config;
  config.base_width = 64;
  config.norm = nn::NormKind::none;
  config.up = UpPath::upsample;
  config.dropout = 0.5;
  config.narrow_head = true;
  return config;
}

void UNetConfig::validate() const {
  check(in_channels >= 1 && in_channels <= 1024,
        "unet: found {} input channels, expected 1 to 1024", in_channels);
  check(base_width >= 1 && base_width <= 1024, "--base-width: found {}, expected 1 to 1024",
        base_width);
  check(depth >= 1 && depth <= 7, "--depth: found {}, expected 1 to 7", depth);
  check(dropout >= 0 && dropout < 1, "--dropout: found {}, expected 0 <= p < 1", dropout);
}

nlohmann::json UNetConfig::to_json() const {
  return {{"model", "unet"},    {"in_channels", in_channels}, {"base_width", base_width},
          {"depth", depth},     {"norm", nn::name_of(norm)},  {"up", name_of(up)},
          {"dropout", dropout}, {"narrow_head", narrow_head}};
}

UNetConfig UNetConfig::from_json(const nlohmann::json& json) {
  const std::string name = "unet: its configuration";
  const auto whole = [&](const char* key) { return json_field<std::int64_t>(json, key, name); };
  UNetConfig config{.in_channels = whole("in_channels"),
                    .base_width = whole("base_width"),
                    .depth = whole("depth"),
                    .norm = nn::parse_norm(json_field<std::string>(json, "norm", name)),
                    .up = parse_up(json_field<std::string>(json, "up", name)),
                    .dropout = json_field<double>(json, "dropout", name),
                    .narrow_head = json_field<bool>(json, "narrow_head", name)};
  check_known_keys(json, config.to_json(), name);
  config.validate();
  return config;
}

const char* name_of(UpPath up) {
  return up == UpPath::transpose ? "transpose" : "upsample";
}

UpPath parse_up(std::string_view text) {
  for (UpPath up : {UpPath::transpose, UpPath::upsample})
    if (text == name_of(up)) return up;
  fail("--up: found '{}', expected transpose or upsample", text);
}

}  // namespace glia
