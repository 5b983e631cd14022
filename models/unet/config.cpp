#include <nlohmann/json.hpp>

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
  try {
    UNetConfig config{.in_channels = json.at("in_channels"),
                      .base_width = json.at("base_width"),
                      .depth = json.at("depth"),
                      .norm = nn::parse_norm(json.at("norm").get<std::string>()),
                      .up = parse_up(json.at("up").get<std::string>()),
                      .dropout = json.at("dropout"),
                      .narrow_head = json.at("narrow_head")};
    config.validate();
    return config;
  } catch (const nlohmann::json::exception& error) {
    fail("unet: the configuration does not fit: {}", error.what());
  }
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
