// A step's memory as people read it: every tensor, what they add up to, and the fullest moment.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/train/plan.h"

namespace glia {

/// Memory of a process that trains, in bytes.
struct ProcessPlan {
  StepPlan step;
  std::size_t program = 0;   // code, libraries and stacks
  std::size_t loader = 0;    // batches that wait in the host's memory
  std::size_t resident = 0;  // slices that lie on the device
  std::size_t ranks = 1;     // that share a batch: all but `program` is of one of them
  std::size_t in_turn = 1;   // shards that a rank computes one after another
  std::size_t device() const { return step.peak_bytes() + resident; }
};

/// A row a tensor in the order in which they are made, with a star where it is alive at the fullest
/// moment; those below `least` bytes are added up in one row.
std::string tensor_table(const StepPlan& plan, std::size_t least);
/// The bytes by kind, and those alive at the fullest moment.
std::string memory_summary(const ProcessPlan& plan);
nlohmann::ordered_json to_json(const ProcessPlan& plan);

}  // namespace glia
