// What the two processes of a plugin's rows tell each other, as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "benchmarks/suite/measure.h"

namespace glia {

nlohmann::json to_message(const bench::Measurement& prepared);
nlohmann::json to_message(const bench::Timing& sample);
nlohmann::json to_message(const std::vector<bench::StepMeasurement>& steps);

/// An answer from its text. Throws the `Error` that it tells of, or one that says that it is none.
nlohmann::json answer_of(const std::string& text);
bench::Measurement measurement_of(const nlohmann::json& message);
bench::Timing timing_of(const nlohmann::json& message);
std::vector<bench::StepMeasurement> steps_of(const nlohmann::json& message,
                                             const std::string& backend);

}  // namespace glia
