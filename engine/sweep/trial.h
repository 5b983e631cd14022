// One trial of a study: what it trains, where it lies, and how far it is.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/sweep/grid.h"
#include "engine/sweep/length.h"
#include "engine/train/run_folder.h"

namespace glia::sweep {

enum class State {
  waiting,     // nothing to build on
  unfinished,  // stopped after a checkpoint
  failed,      // the last attempt ended by an error
  finished
};

const char* name_of(State state);

/// Its folder holds trial.json, output.txt (what `glia train` printed) and run/, the run's folder.
class Trial {
 public:
  /// `common` is what a result depends on besides the point: data, lists, flags. A trial whose
  /// learning rates depend on its length (`tied`), or whose length is in steps, is another one at
  /// another length; others grow by training on. Reads how far the trial is; throws `Error` when
  /// its files are damaged.
  Trial(const std::filesystem::path& study, Point point, Length length, bool tied,
        const nlohmann::ordered_json& common);

  const Point& point() const { return point_; }
  const Length& length() const { return length_; }
  /// Its folder's name: a few settings and the hash of all that it depends on.
  const std::string& name() const { return name_; }
  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path run() const { return folder_ / "run"; }
  std::filesystem::path output() const { return folder_ / "output.txt"; }

  State state() const;
  bool has_checkpoint() const;
  /// The last attempt's error; empty without one.
  const std::string& failure() const { return failure_; }
  /// The epochs trained so far. A finished trial may have more than `length` asks for.
  const std::vector<MetricsRow>& rows() const { return rows_; }

  /// Call before an attempt: makes the folder and forgets the last error. A run that left no
  /// checkpoint has nothing to build on and is removed; throws `Error` when it has finished epochs
  /// all the same.
  void begin();
  /// Call after an attempt; an empty `failure` of one that did not reach the end means stopped.
  void end(bool reached_the_end, const std::string& failure);

 private:
  void read_rows();
  void write() const;

  Point point_;
  Length length_;
  nlohmann::ordered_json identity_;
  std::string name_;
  std::filesystem::path folder_;
  std::int64_t epochs_done_ = 0;  // by attempts that reached their end
  std::string failure_;
  std::vector<MetricsRow> rows_;
};

/// Names of the trials' folders below `study` that finished, whether or not they belong to it.
std::vector<std::string> finished_trials(const std::filesystem::path& study);

}  // namespace glia::sweep
