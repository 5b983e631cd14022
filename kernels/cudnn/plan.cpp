#include "kernels/cudnn/plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "engine/base/check.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

namespace {

/// Why an engine with this note is not taken; null if it may be.
const char* objection(cudnnBackendNumericalNote_t note, ConvPrecision precision) {
  switch (note) {
    case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC: return "not deterministic";
    case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS: return "rounds its inputs";
    case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION: return "rounds its sums";
    case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      return precision == ConvPrecision::fp32 ? "not fp32" : nullptr;
    // Transforms whose errors are not those of a sum of products.
    case CUDNN_NUMERICAL_NOTE_FFT: return "FFT";
    case CUDNN_NUMERICAL_NOTE_WINOGRAD:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13: return "Winograd";
    default: return nullptr;
  }
}

/// The engine of a configuration and why it is not taken; null if it may be.
struct Engine {
  std::int64_t index = 0;
  const char* objection = nullptr;
};

Engine engine_of(const Descriptor& config, ConvPrecision precision) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t handle = engine.handle();
  config.get_many(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &handle);
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  const std::size_t count = engine.get_many(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                            CUDNN_TYPE_NUMERICAL_NOTE, notes.size(), notes.data());
  Engine result{.index = engine.int64(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)};
  for (std::size_t i = 0; i < std::min(count, notes.size()) && !result.objection; ++i)
    result.objection = objection(notes[i], precision);
  return result;
}

/// The configurations that one of cuDNN's heuristics proposes, the best first; none if it fails.
std::vector<Descriptor> proposals(const PlanTarget& target, const Descriptor& graph,
                                  cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  if (target.described) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.described);
  if (heuristics.try_to_finalize() != CUDNN_STATUS_SUCCESS) return {};
  return heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
}

}  // namespace

std::size_t PlanKey::Hash::operator()(const PlanKey& key) const {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a, a number instead of a byte at a time
  for (std::int64_t number : key.numbers) {
    hash ^= static_cast<std::uint64_t>(number);
    hash *= 1099511628211u;
    hash ^= hash >> 32;
  }
  return static_cast<std::size_t>(hash);
}

Descriptor described_gpu(const std::string& json) {
  Descriptor gpu(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  gpu.set_many(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, json.size() + 1,
               json.c_str());
  gpu.finalize();
  return gpu;
}

std::unique_ptr<Plan> choose_plan(const PlanTarget& target, const Demands& demands,
                                  const std::string& what, std::vector<Descriptor> parts,
                                  std::size_t operations) {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (target.handle) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, target.handle);
  std::vector<cudnnBackendDescriptor_t> steps;
  for (std::size_t i = parts.size() - operations; i < parts.size(); ++i)
    steps.push_back(parts[i].handle());
  graph.set_many(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, steps.size(),
                 steps.data());
  graph.finalize();

  std::map<std::string, int> declined;  // engines by the reason why not
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (Descriptor& config : proposals(target, graph, mode)) {
      const Engine engine = engine_of(config, demands.precision);
      if (engine.objection) {
        ++declined[engine.objection];
        continue;
      }
      Descriptor execution(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      if (target.described)
        execution.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.described);
      else
        execution.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, target.handle);
      execution.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
      if (const auto status = execution.try_to_finalize(); status != CUDNN_STATUS_SUCCESS) {
        ++declined[cudnn().cudnnGetErrorString(status)];
        continue;
      }
      const auto workspace =
          static_cast<std::size_t>(execution.int64(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
      if (workspace > demands.max_workspace) {
        ++declined["too much workspace"];
        continue;
      }
      auto plan = std::make_unique<Plan>();
      plan->note = fmt::format("{}: engine {}, workspace {:.1f} MiB", what, engine.index,
                               static_cast<double>(workspace) / (1 << 20));
      plan->workspace = workspace;
      plan->parts = std::move(parts);
      plan->parts.push_back(std::move(graph));
      plan->parts.push_back(std::move(config));
      plan->execution = std::move(execution);
      return plan;
    }
  std::string reasons;
  for (const auto& [reason, engines] : declined)
    reasons += fmt::format("{} {} x {}", reasons.empty() ? ":" : ",", engines, reason);
  fail("{}: cuDNN has no suitable engine among {} that it proposes{}", what,
       std::accumulate(declined.begin(), declined.end(), 0,
                       [](int sum, const auto& entry) { return sum + entry.second; }),
       reasons);
}

void execute(cudnnHandle_t handle, const Plan& plan, std::span<const Binding> bindings,
             void* workspace) {
  std::vector<void*> data;
  std::vector<std::int64_t> ids;
  for (const Binding& binding : bindings) {
    data.push_back(binding.data);
    ids.push_back(binding.id);
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set_many(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data.size(),
                data.data());
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace);
  pack.finalize();
  require_success(cudnn().cudnnBackendExecute(handle, plan.execution.handle(), pack.handle()),
                  plan.note.c_str());
}

}  // namespace glia::cudnn
