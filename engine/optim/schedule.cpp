#include "engine/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "engine/base/check.h"
#include "engine/base/finite.h"
#include "engine/base/json.h"

namespace glia::optim {

namespace {

constexpr ScheduleKind kScheduleKinds[] = {ScheduleKind::constant, ScheduleKind::step,
                                           ScheduleKind::cosine, ScheduleKind::plateau};

}  // namespace

const char* name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant: return "constant";
    case ScheduleKind::step: return "step";
    case ScheduleKind::cosine: return "cosine";
    case ScheduleKind::plateau: return "plateau";
  }
  return "?";
}

ScheduleKind parse_schedule(std::string_view text) {
  for (ScheduleKind kind : kScheduleKinds)
    if (text == name_of(kind)) return kind;
  fail("--schedule: found '{}', expected constant, step, cosine or plateau", text);
}

nlohmann::json ScheduleConfig::to_json() const {
  nlohmann::json json = {{"kind", name_of(kind)}, {"initial", initial}};
  switch (kind) {
    case ScheduleKind::constant: break;
    case ScheduleKind::step: json.update({{"factor", factor}, {"every", every}}); break;
    case ScheduleKind::cosine: json.update({{"minimum", minimum}}); break;
    case ScheduleKind::plateau:
      json.update({{"factor", factor}, {"patience", patience}, {"minimum", minimum}});
      break;
  }
  return json;
}

ScheduleConfig ScheduleConfig::from_json(const nlohmann::json& json, const std::string& name) {
  const auto real = [&](const char* key) { return json_field<double>(json, key, name); };
  const auto whole = [&](const char* key) { return json_field<std::int64_t>(json, key, name); };
  ScheduleConfig config{.kind = parse_schedule(json_field<std::string>(json, "kind", name)),
                        .initial = real("initial")};
  switch (config.kind) {
    case ScheduleKind::constant: break;
    case ScheduleKind::step:
      config.factor = real("factor");
      config.every = whole("every");
      break;
    case ScheduleKind::cosine: config.minimum = real("minimum"); break;
    case ScheduleKind::plateau:
      config.factor = real("factor");
      config.patience = whole("patience");
      config.minimum = real("minimum");
      break;
  }
  // Runs of earlier versions keep the settings of other kinds too.
  nlohmann::json known = nlohmann::json::object();
  for (const ScheduleKind kind : kScheduleKinds)
    known.update(ScheduleConfig{.kind = kind}.to_json());
  check_known_keys(json, known, name);
  return config;
}

void ScheduleConfig::validate() const {
  check(is_positive_float(initial),
        "--learning-rate: found {}, expected more than 0, within the range of float32", initial);
  check(factor > 0 && factor <= 1, "--schedule-factor: found {}, expected 0 < f <= 1", factor);
  check(every >= 1, "--schedule-every: found {}, expected 1 or more", every);
  check(patience >= 0, "--schedule-patience: found {}, expected 0 or more", patience);
  check(minimum >= 0 && minimum <= initial,
        "--schedule-minimum: found {}, expected 0 to the learning rate {}", minimum, initial);
}

Schedule::Schedule(const ScheduleConfig& config)
    : config_(config),
      plateau_rate_(config.initial),
      best_(std::numeric_limits<double>::infinity()) {
  config.validate();
}

double Schedule::rate(std::int64_t epoch, std::int64_t done, std::int64_t total) const {
  switch (config_.kind) {
    case ScheduleKind::constant: return config_.initial;
    case ScheduleKind::step:
      return config_.initial *
             std::pow(config_.factor, static_cast<double>((epoch - 1) / config_.every));
    case ScheduleKind::cosine: {
      const double share =
          static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(total, 1));
      const double wave = (1 + std::cos(std::numbers::pi * std::min(share, 1.0))) / 2;
      return config_.minimum + (config_.initial - config_.minimum) * wave;
    }
    case ScheduleKind::plateau: return plateau_rate_;
  }
  return config_.initial;
}

void Schedule::end_epoch(double loss) {
  if (loss < best_) {
    best_ = loss;
    waited_ = 0;
  } else if (++waited_ > config_.patience) {
    plateau_rate_ = std::max(config_.minimum, plateau_rate_ * config_.factor);
    waited_ = 0;
  }
}

nlohmann::json Schedule::state() const {
  nlohmann::json state = {{"plateau_rate", plateau_rate_}, {"waited", waited_}};
  if (std::isfinite(best_)) state["best"] = best_;  // JSON has no infinity
  return state;
}

void Schedule::restore(const nlohmann::json& state, const std::string& name) {
  plateau_rate_ = json_field<double>(state, "plateau_rate", name);
  waited_ = json_field<std::int64_t>(state, "waited", name);
  best_ = json_field<double>(state, "best", std::numeric_limits<double>::infinity(), name);
  check_known_keys(state, {{"plateau_rate", 0}, {"waited", 0}, {"best", 0}}, name);
  check(plateau_rate_ >= 0 && plateau_rate_ <= config_.initial,
        "{}: 'plateau_rate' is {}; expected 0 to the learning rate {}", name, plateau_rate_,
        config_.initial);
  check(waited_ >= 0 && waited_ <= config_.patience, "{}: 'waited' is {}; expected 0 to {}", name,
        waited_, config_.patience);
}

}  // namespace glia::optim
