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

Json to_message(const bench::StepMeasurement& prepared) {
  return {
      {"mode", prepared.mode}, {"precision", prepared.precision}, {"launches", prepared.launches}};
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

bench::StepMeasurement step_of(const Json& message, const std::string& backend) {
  return {.backend = backend,
          .mode = message.at("mode").get<std::string>(),
          .precision = message.at("precision").get<std::string>(),
          .launches = message.at("launches").get<LaunchCounts>()};
}

}  // namespace glia
