// Execution plans of cuDNN's graph interface: one operation, and the engine that computes it.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/api/context.h"
#include "kernels/cudnn/descriptor.h"
#include "kernels/cudnn/plan_cache.h"

namespace glia::cudnn {

struct Plan {
  std::vector<Descriptor> parts;  // what `execution` was made from; it must outlive it
  Descriptor execution;
  std::size_t workspace = 0;  // bytes
  std::string note;           // operation, engine and workspace, for people
};

/// Everything that a plan depends on: operation, geometry, types, strides, alignments.
struct PlanKey {
  std::array<std::int64_t, 28> numbers{};
  std::size_t count = 0;

  template <class... Number>
  void add(Number... more) {
    ((numbers.at(count++) = static_cast<std::int64_t>(more)), ...);
  }
  bool operator==(const PlanKey&) const = default;

  struct Hash {
    std::size_t operator()(const PlanKey& key) const;
  };
};

using Plans = PlanCache<PlanKey, Plan, PlanKey::Hash>;

/// What an engine must keep to, besides being deterministic.
struct Demands {
  ConvPrecision precision = ConvPrecision::fp32;
  std::size_t max_workspace = 0;  // bytes
};

/// The GPU that a plan is for: that of a handle, or one that is only described
/// (`described_gpu`), for which plans can be built but not executed.
struct PlanTarget {
  cudnnHandle_t handle = nullptr;
  const Descriptor* described = nullptr;
};

/// cuDNN's own description of a GPU, in JSON (CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).
Descriptor described_gpu(const std::string& json);

/// The first engine of cuDNN's heuristics that meets the demands and accepts the operation. The
/// choice follows from the heuristics alone, not from timings, so that it is the same in every run.
/// `parts` are descriptors of which the last `operations` are the plan's operations and the others
/// what those were made from; `what` is told in the note. Throws `Error` when there is no such
/// engine.
std::unique_ptr<Plan> choose_plan(const PlanTarget& target, const Demands& demands,
                                  const std::string& what, std::vector<Descriptor> parts,
                                  std::size_t operations = 1);

/// A tensor's memory under the number that its descriptor has.
struct Binding {
  std::int64_t id;
  void* data;
};

/// Queues it. Throws `Error`.
void execute(cudnnHandle_t handle, const Plan& plan, std::span<const Binding> bindings,
             void* workspace);

}  // namespace glia::cudnn
