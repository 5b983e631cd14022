// Learning-rate schedules: a factor on the initial rate. docs/optim.md
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace glia::optim {

enum class ScheduleKind { constant, step, cosine, plateau };

const char* name_of(ScheduleKind kind);
/// Throws `Error` listing the choices.
ScheduleKind parse_schedule(std::string_view text);

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::constant;
  double initial = 1e-3;      // learning rate
  double factor = 0.5;        // step, plateau: what the rate is multiplied by
  std::int64_t every = 10;    // step: epochs between two reductions
  std::int64_t patience = 3;  // plateau: epochs without a better loss that change nothing
  double minimum = 0;         // cosine, plateau: the rate never falls below

  /// Only what a schedule of this kind reads.
  nlohmann::json to_json() const;
  /// Throws `Error`, led by `name`, on a field of the kind that is missing or of another type.
  static ScheduleConfig from_json(const nlohmann::json& json, const std::string& name);
  /// Throws `Error` naming the flag of a value that is out of range.
  void validate() const;
};

class Schedule {
 public:
  /// Throws `Error` where `validate` does.
  explicit Schedule(const ScheduleConfig& config);

  /// The rate for the step that follows `done` of `total` steps, in epoch `epoch` (from 1).
  /// cosine: minimum + (initial - minimum) * (1 + cos(pi * done / total)) / 2 (Loshchilov & Hutter,
  /// 2017, without restarts).
  double rate(std::int64_t epoch, std::int64_t done, std::int64_t total) const;

  /// Tells the plateau schedule an epoch's validation loss. The epoch after `patience` epochs in a
  /// row without a better loss, if it is no better either, reduces the rate, as PyTorch's
  /// ReduceLROnPlateau with threshold 0 does.
  void end_epoch(double loss);

  /// What has to survive a restart.
  nlohmann::json state() const;
  /// Throws `Error`, led by `name`, on a state that no run has.
  void restore(const nlohmann::json& state, const std::string& name);

 private:
  ScheduleConfig config_;
  double plateau_rate_, best_;
  std::int64_t waited_ = 0;
};

}  // namespace glia::optim
