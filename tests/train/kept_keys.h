// What a configuration keeps of itself in a run's files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace glia::test {

/// The keys, in the order of JSON. What is read back must be the same.
template <class Config, class Kind>
std::vector<std::string> kept_keys(Kind kind) {
  const nlohmann::json json = Config{.kind = kind}.to_json();
  CHECK(Config::from_json(json, "run").to_json() == json);
  std::vector<std::string> names;
  for (const auto& item : json.items()) names.push_back(item.key());
  return names;
}

}  // namespace glia::test
