// Timing a call on several backends in one run: sample by sample in turn, so that a machine whose
// speed drifts treats all of them alike.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/suite/gpu_health.h"
#include "benchmarks/suite/peaks.h"
#include "benchmarks/suite/record.h"
#include "benchmarks/suite/replay.h"
#include "benchmarks/suite/stopwatch.h"
#include "engine/runtime/launch_log.h"

namespace glia::bench {

struct MeasureOptions {
  int samples = 10;
  /// Not so many as `samples`, but until every backend's median is known to a hundredth
  /// (median_uncertainty).
  bool until_sure = false;
  double seconds = 2;             // a row: no new sample after that, but three in any case
  bool cold = true;               // also with the operands driven out of the caches
  double shortest_sample = 5e-4;  // seconds; a warm sample of a shorter kernel repeats it
  bool check = true;              // compare with the formula and with a second run
  /// Run each kernel exactly once and nothing else, for a profiler. Nothing is timed then: a first
  /// run also loads and builds what later ones find.
  bool once = false;
};

/// One backend's share of a row.
struct Measurement {
  std::string backend;
  std::string problem = {};    // why there are no samples; empty when there are
  std::string algorithm = {};  // how it computes a convolution; "" where it does not say
  Arithmetic arithmetic = Arithmetic::fp32;  // in what a convolution forms its products
  int repeats = 1;                           // runs a warm sample, of which the time is the mean
  bool captured = false;             // they were recorded as a graph, and each sample replays that
  std::string capture_problem = {};  // why not, on a device that can
  std::vector<double> warm = {};     // seconds a run
  std::vector<double> cold = {};
  std::vector<GpuState> states = {};  // after each warm sample, of a GPU that tells
  int throttled = 0;                  // samples that do not count: it was slowed down
  bool checked = false;
  Accuracy accuracy = {};
};

/// A device that stays open for all rows. `flush_bytes`, more than its caches hold, are read before
/// a cold sample.
class OpenBackend {
 public:
  OpenBackend(std::string name, std::unique_ptr<Device> device, std::size_t flush_bytes);

  const std::string& name() const { return name_; }
  Device& device() { return *device_; }
  Stopwatch& stopwatch() { return *stopwatch_; }
  void flush_caches();
  /// In place of what tells of its GPU: samples that this takes while it is slowed down are
  /// dropped.
  void watch(std::unique_ptr<GpuHealth> health) { health_ = std::move(health); }
  /// Null where nothing tells; of a GPU `no_health` then says why.
  const GpuHealth* health() const { return health_.get(); }
  const std::string& no_health() const { return no_health_; }

 private:
  std::string name_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stopwatch> stopwatch_;
  std::string no_health_;  // why nothing tells of its GPU
  std::unique_ptr<GpuHealth> health_;
  Tensor large_, sum_;
};

/// A sample of one backend, seconds a run.
struct Timing {
  double warm = 0;
  std::optional<double> cold = {};
  std::optional<GpuState> state = {};  // of a GPU that tells

  bool throttled() const { return state && state->slowed_down(); }
};

/// One backend's turns at one call, for whoever gives it its turns.
class CallTurns {
 public:
  virtual ~CallTurns() = default;
  /// Throws `Error` for what would be the row's `problem`.
  virtual Timing sample() = 0;
  /// All of it but the samples.
  const Measurement& prepared() const { return result_; }

 protected:
  Measurement result_;
};

/// Prepares, checks and captures the call, which must outlive the turns as the backend must. Throws
/// `Error` as they do.
std::unique_ptr<CallTurns> prepare_turns(const Call& call, OpenBackend& backend,
                                         const MeasureOptions& options);

/// A backend that runs somewhere else, in a process of its own for instance, whose end is then the
/// problem of one row. Both throw `Error` for what is the row's `problem`.
class RemoteBackend {
 public:
  virtual ~RemoteBackend() = default;
  virtual const std::string& name() const = 0;
  /// What `prepare` and `sample` are of, which outlives them: the `row`-th of all that are
  /// measured, from 0.
  virtual void choose_row(const Call& call, std::size_t row) = 0;
  virtual Measurement prepare() = 0;
  virtual Timing sample() = 0;
};

/// A backend that lacks the kernel or the memory gets a `problem`; the others are timed all the
/// same. `remotes`, which know of which call this is, stand last.
std::vector<Measurement> measure_call(const Call& call, std::vector<OpenBackend>& backends,
                                      const MeasureOptions& options,
                                      const std::vector<RemoteBackend*>& remotes = {});

/// A backend's whole training steps, or inferences.
struct StepMeasurement {
  std::string backend;
  std::string mode;            // "eager": kernel by kernel; "captured": replayed as a graph
  std::string precision = {};  // of convolutions; "" where the device could not be opened
  std::string problem = {};
  std::vector<double> seconds = {};   // a step
  std::vector<GpuState> states = {};  // after each, of a GPU that tells
  int throttled = 0;                  // steps that do not count: it was slowed down
  std::size_t peak_bytes = 0;         // tensors and scratch memory, the most at one time
  LaunchCounts launches = {};         // of one, on a GPU
};

/// A backend to be opened afresh, so that its peak memory is that of the step.
struct ClosedBackend {
  std::string name;
  std::function<std::unique_ptr<Device>()> open;
};

/// One backend's turns at whole steps in one mode, for whoever gives it its turns.
class StepTurns {
 public:
  virtual ~StepTurns() = default;
  /// A step, or an inference. Throws `Error` for what would be their `problem`.
  virtual Timing sample() = 0;
  /// All of it but the samples and what follows.
  virtual StepMeasurement prepared() const = 0;
  /// Of tensors and scratch memory, the most so far.
  virtual std::size_t peak_bytes() const = 0;
};

/// Opens the backend and warms it up, to run `captured` as a graph or kernel by kernel; null where
/// its device cannot capture. Throws `Error` as the turns do. The step must outlive them.
std::unique_ptr<StepTurns> prepare_step_turns(const RecordedStep& step,
                                              const ClosedBackend& backend,
                                              const MeasureOptions& options, bool captured);

/// Whoever else takes turns at the steps that are measured.
class RemoteSteps {
 public:
  virtual ~RemoteSteps() = default;
  virtual const std::string& name() const = 0;
  /// Null where that mode is not for it. Throws `Error` for what is the steps' `problem`.
  virtual std::unique_ptr<StepTurns> prepare_steps(const RecordedStep& step, bool captured) = 0;
};

/// Training steps, or inferences, as `step.whole` says: three to warm up, then samples of each
/// backend in turn, for 15 times as long as a row. Eager first, then captured, on the devices that
/// can. `remotes` stand last in each mode.
std::vector<StepMeasurement> measure_step(const RecordedStep& step,
                                          const std::vector<ClosedBackend>& backends,
                                          const MeasureOptions& options,
                                          const std::vector<RemoteSteps*>& remotes = {});

}  // namespace glia::bench
