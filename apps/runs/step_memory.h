// Whether training fits into a device's memory, and what to tell somebody whose does not.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/data/dataset.h"
#include "engine/runtime/device.h"
#include "engine/runtime/memory_room.h"
#include "engine/train/plan.h"
#include "engine/train/resident.h"
#include "engine/train/train_config.h"

namespace glia {

/// Bytes of the host's memory that a slice of a batch takes while it waits in a loader of so many
/// threads, at most: one more batch than it keeps ahead is with the trainer, and one on its way.
std::size_t loader_bytes(const StepShape& shape, std::int64_t channels,
                         const LoaderThreads& threads);

/// "3000 MiB", and where another limit than the machine's holds "3000 MiB, free under ulimit -v of
/// 4000 MiB,".
std::string free_text(const MemoryLimit& limit);

class StepMemory {
 public:
  /// What a step takes besides its network and settings.
  struct Beside {
    Sample slice;  // one of those to train on, which all have its size
    LoaderThreads loader = {};
    std::optional<MemoryLimit> host;  // what it was limited to before the device was opened
    int ranks_here = 1;               // that share this process's memory
  };

  StepMemory(nlohmann::json model, const TrainConfig& config, Device& device, Beside beside);

  /// On the CPU: throws `Error` when a step needs more than a control group or `ulimit` leaves, and
  /// returns a warning when it needs more than the machine has free now. A GPU says so itself.
  std::string check_fits() const;

  /// On a GPU: whether so many slices of so many bytes may lie there beside the step. Throws
  /// `Error` where they must (`Resident::on`) and cannot.
  bool keeps(Resident wanted, const Device& device, std::size_t slices, std::size_t bytes) const;

  /// The bytes that a step needs on the device and the largest batch that would fit.
  std::string advice() const;

 private:
  /// Bytes beside the step for each slice of a batch, and all that a step needs.
  std::size_t beside() const;
  std::size_t needed() const;
  /// Of a step that needs `bytes`.
  std::string advice(std::size_t bytes) const;

  nlohmann::json model_;
  StepShape shape_;
  PlanTarget target_;
  bool on_host_;
  std::int64_t channels_;
  LoaderThreads loader_;
  std::int64_t ranks_here_;
  std::optional<MemoryLimit> limit_;
};

}  // namespace glia
