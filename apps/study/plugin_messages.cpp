#include "apps/study/plugin_messages.h"

#include <fmt/format.h>

#include <cstdlib>

namespace glia {

namespace {

using Json = nlohmann::json;

/// JSON has no NaN and no infinity.
std::string text_of_number(double number) {
  return fmt::format("{}", number);
}
double number_of(const Json& text) {
  return std::strtod(text.get<std::string>().c_str(), nullptr);
}

}  // namespace

Json to_message(const bench::Measurement& prepared) {
  return {{"algorithm", prepared.algorithm},
          {"arithmetic", static_cast<int>(prepared.arithmetic)},
          {"repeats", prepared.repeats},
          {"captured", prepared.captured},
          {"capture_problem", prepared.capture_problem},
          {"checked", prepared.checked},
          {"max_error", text_of_number(prepared.accuracy.max_error)},
          {"relative_error", text_of_number(prepared.accuracy.relative_error)},
          {"deterministic", prepared.accuracy.deterministic}};
}

Json to_message(const bench::Timing& sample) {
  Json message = {{"warm", sample.warm}};
  if (sample.cold) message["cold"] = *sample.cold;
  if (sample.state)
    message["state"] = {sample.state->sm_mhz, sample.state->memory_mhz, sample.state->watts,
                        sample.state->limits};
  return message;
}

Json to_message(const std::vector<bench::StepMeasurement>& steps) {
  Json message = Json::array();
  for (const bench::StepMeasurement& step : steps)
    message.push_back({{"mode", step.mode},
                       {"precision", step.precision},
                       {"problem", step.problem},
                       {"seconds", step.seconds},
                       {"peak_bytes", step.peak_bytes}});
  return message;
}

bench::Measurement measurement_of(const Json& message) {
  bench::Measurement prepared{.backend = ""};
  prepared.algorithm = message.at("algorithm").get<std::string>();
  prepared.arithmetic = static_cast<Arithmetic>(message.at("arithmetic").get<int>());
  prepared.repeats = message.at("repeats").get<int>();
  prepared.captured = message.at("captured").get<bool>();
  prepared.capture_problem = message.at("capture_problem").get<std::string>();
  prepared.checked = message.at("checked").get<bool>();
  prepared.accuracy = {.max_error = number_of(message.at("max_error")),
                       .relative_error = number_of(message.at("relative_error")),
                       .deterministic = message.at("deterministic").get<bool>()};
  return prepared;
}

bench::Timing timing_of(const Json& message) {
  bench::Timing timing{.warm = message.at("warm").get<double>()};
  if (message.contains("cold")) timing.cold = message["cold"].get<double>();
  if (message.contains("state")) {
    const Json& state = message["state"];
    timing.state = bench::GpuState{state.at(0).get<int>(), state.at(1).get<int>(),
                                   state.at(2).get<double>(), state.at(3).get<std::uint64_t>()};
  }
  return timing;
}

std::vector<bench::StepMeasurement> steps_of(const Json& message, const std::string& backend) {
  std::vector<bench::StepMeasurement> steps;
  for (const Json& step : message) {
    bench::StepMeasurement& to = steps.emplace_back();
    to.backend = backend;
    to.mode = step.at("mode").get<std::string>();
    to.precision = step.at("precision").get<std::string>();
    to.problem = step.at("problem").get<std::string>();
    to.seconds = step.at("seconds").get<std::vector<double>>();
    to.peak_bytes = step.at("peak_bytes").get<std::size_t>();
  }
  return steps;
}

}  // namespace glia
