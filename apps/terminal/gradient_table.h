// What glia gradcheck prints: a row a gradient or a network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "benchmarks/judge/gradient_check.h"
#include "benchmarks/judge/net_check.h"

namespace glia {

/// The head of either table.
std::string gradient_head();
std::string net_head();
/// A line, and below it what is wrong and what the wrong elements have in common.
std::string text_of(const test::GradientRow& row);
std::string text_of(const test::NetRow& row);
nlohmann::ordered_json json_of(const test::GradientRow& row);
nlohmann::ordered_json json_of(const test::NetRow& row);

}  // namespace glia
