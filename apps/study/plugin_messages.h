// What the two processes of a plugin's rows tell each other, as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "benchmarks/suite/measure.h"

namespace glia {

nlohmann::json to_message(const bench::Measurement& prepared);
nlohmann::json to_message(const bench::Timing& sample);
nlohmann::json to_message(const bench::StepMeasurement& prepared);

bench::Measurement measurement_of(const nlohmann::json& message);
bench::Timing timing_of(const nlohmann::json& message);
bench::StepMeasurement step_of(const nlohmann::json& message, const std::string& backend);

}  // namespace glia
