#include "benchmarks/suite/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "benchmarks/suite/repeated_step.h"
#include "benchmarks/suite/statistics.h"
#include "engine/runtime/launch_log.h"
#include "engine/runtime/memory_room.h"
#include "engine/runtime/run.h"

namespace glia::bench {

namespace {

constexpr double kMostRepeats = 1000;
constexpr int kFewestSamples = 3;
constexpr double kStepPatience = 15;
constexpr int kWarmUpSteps = 3;  // a capture happens in the third
constexpr double kSure = 0.01;   // of a median

/// Whether another sample shall be taken.
class Budget {
 public:
  Budget(int samples, double seconds) : samples_(samples), seconds_(seconds) {}

  bool next() {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    return taken_ < samples_ && (taken_++ < kFewestSamples || spent.count() < seconds_);
  }

 private:
  int samples_;
  double seconds_;
  int taken_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Whether no more samples are needed; of those that ended with a problem none are.
bool sure(const MeasureOptions& options, const std::vector<double>& samples, bool goes_on) {
  return options.until_sure && (!goes_on || median_uncertainty(samples) <= kSure);
}

/// Bytes of the host's memory: the operands as they are drawn, as the kernel has them, and as it
/// left them.
double host_bytes(const Call& call) {
  double bytes = 0;
  for (const Operand& operand : call.operands)
    bytes += static_cast<double>(operand.span()) * static_cast<double>(size_of(operand.view.dtype));
  return 3 * bytes;
}

/// Calls `fn(i)` for each of `count` backends, in the other direction every second time, so that
/// none always follows the same neighbour.
template <class Fn>
void in_turn(std::size_t count, bool backwards, const Fn& fn) {
  for (std::size_t i = 0; i < count; ++i) fn(backwards ? count - 1 - i : i);
}

/// What our kernels say of themselves; of a library that does not say, what it was asked for.
Arithmetic arithmetic_of(Device& device, const Call& call, const std::string& algorithm) {
  if (algorithm.ends_with(name_of(Arithmetic::bf16))) return Arithmetic::bf16;
  const bool tf32 = algorithm.empty() ? device.context().precision == ConvPrecision::tf32
                                      : algorithm.ends_with(name_of(Arithmetic::tf32));
  return tf32 && call.op.starts_with("conv") ? Arithmetic::tf32 : Arithmetic::fp32;
}

std::optional<GpuState> state_of(const GpuHealth* health) {
  return health ? std::optional(health->now()) : std::nullopt;
}

/// Whether a sample after which the GPU was in that state counts: notes it, or that it was slowed
/// down.
template <class Result>
bool at_full_speed(const std::optional<GpuState>& state, Result& result) {
  if (!state) return true;
  if (state->slowed_down()) return ++result.throttled, false;
  result.states.push_back(*state);
  return true;
}

std::string always_slow(int samples) {
  return fmt::format(
      "the GPU was slowed down by heat or lack of power in each of {} samples; let it cool, or "
      "look at nvidia-smi -q -d PERFORMANCE",
      samples);
}

/// One backend and one call.
struct Contender {
  OpenBackend& backend;
  Measurement& result;
  std::unique_ptr<Replay> replay = {};  // empty once there was a problem
  std::unique_ptr<Graph> graph = {};    // all repeats of a sample, where they are captured

  /// Runs `work`; an error ends this contender and no other.
  template <class Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      result.problem = error.what();
      graph.reset();
      replay.reset();
    }
  }

  /// Seconds a run of `work`, which queues so many of them, after what was queued before.
  template <class Work>
  double time_of(int runs, const Work& work) {
    backend.stopwatch().start_in_queue();
    work();
    return backend.stopwatch().stop() / runs;
  }
  double time_once() {
    return time_of(1, [&] { replay->run(); });
  }
  void run_repeats() {
    for (int i = 0; i < result.repeats; ++i) replay->run();
  }

  /// Launching small kernels one by one may take longer than they do.
  void capture() {
    Device& device = backend.device();
    if (result.repeats == 1 || !device.can_capture()) return;
    try {
      check(!device.watched(), "work that is watched (--check-nan) cannot be recorded");
      graph = device.capture([&] { run_repeats(); });
      graph->replay();  // the first brings it to the device
      result.captured = true;
    } catch (const Error& error) {
      graph.reset();
      result.capture_problem = error.what();
    }
  }

  void prepare(const Call& call, const Contents& contents, const MeasureOptions& options) {
    const DType type = backend.device().kernels().activations;
    check(type == call.activations,
          "stores activations in {}, and these rows are of {}, as other backends and precisions "
          "have them; bench it alone (--precision bf16), or whole steps (--op train_step)",
          name_of(type), name_of(call.activations));
    result.algorithm = call.algorithm(backend.device());
    result.arithmetic = arithmetic_of(backend.device(), call, result.algorithm);
    replay = std::make_unique<Replay>(backend.device(), call, contents);
    if (options.once) {
      replay->run();
      return backend.device().synchronize();
    }
    if (options.check) result.accuracy = examine(*replay, call, contents);
    result.checked = options.check;
    replay->run();
    const double repeats = std::ceil(options.shortest_sample / time_once());
    result.repeats = static_cast<int>(std::clamp(repeats, 1.0, kMostRepeats));
    capture();
  }

  Timing sample(const MeasureOptions& options) {
    replay->run();  // another backend has been in the caches
    Timing taken{.warm = time_of(result.repeats, [&] { graph ? graph->replay() : run_repeats(); })};
    taken.state = state_of(backend.health());
    if (!options.cold || taken.throttled()) return taken;
    backend.flush_caches();
    taken.cold = time_once();
    return taken;
  }
};

/// The step, or the inference, for one backend.
std::unique_ptr<Repeated> make_repeated(Device& device, const RecordedStep& step,
                                        RepeatedWork::Mode mode) {
  if (step.whole == Whole::inference)
    return std::make_unique<RepeatedInference>(device, step.config, step.batch_size, step.size,
                                               mode);
  return std::make_unique<RepeatedStep>(device, step.config, step.batch_size, step.size, mode);
}

void add(const Timing& sample, Measurement& to) {
  if (!at_full_speed(sample.state, to)) return;
  to.warm.push_back(sample.warm);
  if (sample.cold) to.cold.push_back(*sample.cold);
}

class Turns : public CallTurns {
 public:
  Turns(const Call& call, OpenBackend& backend, const MeasureOptions& options)
      : contents_(call, 1), options_(options), contender_{backend, result_} {
    result_.backend = backend.name();
    contender_.prepare(call, contents_, options);
  }
  Timing sample() override { return contender_.sample(options_); }

 private:
  Contents contents_;
  MeasureOptions options_;
  Contender contender_;
};

/// Gives `remote` a turn; an error ends it and no other.
template <class Turn>
void attempt_remote(Measurement& result, const Turn& turn) {
  if (!result.problem.empty()) return;
  try {
    turn();
  } catch (const Error& error) {
    result.problem = error.what();
  }
}

/// One backend and whole steps, here.
class LocalSteps : public StepTurns {
 public:
  LocalSteps(const RecordedStep& step, const ClosedBackend& backend, const MeasureOptions& options,
             std::unique_ptr<Device> device, bool captured)
      : device_(std::move(device)), once_(options.once) {
    result_ = {.backend = backend.name,
               .mode = captured ? "captured" : "eager",
               .precision = name_of(device_->context().precision)};
    stopwatch_ = make_stopwatch(*device_);
    std::string unknown;  // the rows' devices say why
    health_ = health_of(*device_, unknown);
    step_ = make_repeated(*device_, step,
                          captured ? TrainStep::Mode::automatic : TrainStep::Mode::eager);
    if (!options.once) warm_up();
    check(!captured || step_->captured(),
          "the step was not recorded as a graph, as it cannot be on a device that is watched "
          "(--check-nan)");
  }

  Timing sample() override {
    if (once_) {
      step_->run();
      device_->synchronize();
      return {};
    }
    stopwatch_->start();
    step_->run();
    return {.warm = stopwatch_->stop(), .state = state_of(health_.get())};
  }
  StepMeasurement prepared() const override { return result_; }
  std::size_t peak_bytes() const override {
    return device_->allocator().peak_bytes() + device_->context().workspace.size();
  }

 private:
  /// Steps that are not timed, of which the first tells what it launches.
  void warm_up() {
    {
      const LaunchLog log(*device_);
      step_->run();
      result_.launches = counts_of(log.names());
    }
    for (int i = 1; i < kWarmUpSteps; ++i) step_->run();
  }

  std::unique_ptr<Device> device_;
  bool once_;
  StepMeasurement result_;
  std::unique_ptr<Stopwatch> stopwatch_;
  std::unique_ptr<GpuHealth> health_;
  std::unique_ptr<Repeated> step_;
};

/// Who takes turns at whole steps.
struct Trainee {
  StepMeasurement result;
  std::unique_ptr<StepTurns> turns = {};  // empty once there was a problem

  /// Runs `work`; an error ends this trainee and no other.
  template <class Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      result.problem = error.what();
      turns.reset();
    }
  }

  void sample(bool once) {
    const Timing taken = turns->sample();
    if (!once && at_full_speed(taken.state, result)) result.seconds.push_back(taken.warm);
  }
};

/// All backends that can, in one of the two modes.
std::vector<StepMeasurement> measure_mode(const RecordedStep& step,
                                          const std::vector<ClosedBackend>& backends,
                                          const MeasureOptions& options,
                                          const std::vector<RemoteSteps*>& remotes, bool captured) {
  std::vector<Trainee> trainees;
  const auto prepare = [&](const std::string& name, const auto& turns) {
    Trainee trainee{.result = {.backend = name, .mode = captured ? "captured" : "eager"}};
    trainee.attempt([&] {
      trainee.turns = turns();
      if (trainee.turns) trainee.result = trainee.turns->prepared();
      trainee.result.backend = name;
    });
    if (trainee.turns || !trainee.result.problem.empty()) trainees.push_back(std::move(trainee));
  };
  for (const ClosedBackend& backend : backends)
    prepare(backend.name, [&] { return prepare_step_turns(step, backend, options, captured); });
  for (RemoteSteps* remote : remotes)
    prepare(remote->name(), [&] { return remote->prepare_steps(step, captured); });
  bool backwards = false;
  const int samples = options.once ? 1 : options.samples;
  const auto all_sure = [&] {
    return std::all_of(trainees.begin(), trainees.end(), [&](const Trainee& trainee) {
      return sure(options, trainee.result.seconds, trainee.turns != nullptr);
    });
  };
  for (Budget budget(samples, kStepPatience * options.seconds); !all_sure() && budget.next();
       backwards = !backwards)
    in_turn(trainees.size(), backwards, [&](std::size_t i) {
      Trainee& trainee = trainees[i];
      if (trainee.turns) trainee.attempt([&] { trainee.sample(options.once); });
    });
  std::vector<StepMeasurement> results;
  for (Trainee& trainee : trainees) {
    if (trainee.turns)
      trainee.attempt([&] { trainee.result.peak_bytes = trainee.turns->peak_bytes(); });
    if (trainee.turns && trainee.result.throttled > 0 && trainee.result.seconds.empty())
      trainee.result.problem = always_slow(trainee.result.throttled);
    results.push_back(std::move(trainee.result));
  }
  return results;
}

}  // namespace

OpenBackend::OpenBackend(std::string name, std::unique_ptr<Device> device, std::size_t flush_bytes)
    : name_(std::move(name)),
      device_(std::move(device)),
      stopwatch_(make_stopwatch(*device_)),
      health_(health_of(*device_, no_health_)),
      large_(Tensor::zeros(*device_, {static_cast<std::int64_t>(flush_bytes / sizeof(float))})),
      sum_(Tensor::zeros(*device_, {1})) {}

void OpenBackend::flush_caches() {
  // Reading leaves nothing that would have to be written back while the next sample runs.
  run<&KernelTable::sum>(*device_, {.x = large_, .y = sum_});
}

std::unique_ptr<CallTurns> prepare_turns(const Call& call, OpenBackend& backend,
                                         const MeasureOptions& options) {
  return std::make_unique<Turns>(call, backend, options);
}

std::vector<Measurement> measure_call(const Call& call, std::vector<OpenBackend>& backends,
                                      const MeasureOptions& options,
                                      const std::vector<RemoteBackend*>& remotes) {
  std::vector<Measurement> results(backends.size() + remotes.size());
  for (std::size_t i = 0; i < backends.size(); ++i) results[i].backend = backends[i].name();
  const auto remote_result = [&](std::size_t i) -> Measurement& {
    return results[backends.size() + i];
  };
  for (std::size_t i = 0; i < remotes.size(); ++i) remote_result(i).backend = remotes[i]->name();
  const double needed = host_bytes(call);
  for (const MemoryLimit& limit : memory_limits()) {
    if (needed <= static_cast<double>(limit.total)) continue;
    for (Measurement& result : results)
      result.problem =
          fmt::format("needs {:.0f} GiB of memory, more than {}; choose a smaller shape or batch",
                      needed / (1 << 30), limit.str());
    return results;
  }
  const Contents contents(call, 1);
  std::vector<Contender> contenders;
  for (std::size_t i = 0; i < backends.size(); ++i) {
    contenders.push_back({backends[i], results[i]});
    Contender& contender = contenders.back();
    contender.attempt([&] { contender.prepare(call, contents, options); });
  }
  for (std::size_t i = 0; i < remotes.size(); ++i)
    attempt_remote(remote_result(i), [&] {
      Measurement prepared = remotes[i]->prepare();
      prepared.backend = remotes[i]->name();
      remote_result(i) = std::move(prepared);
    });
  if (options.once) return results;
  bool backwards = false;
  const auto all_sure = [&] {
    for (std::size_t i = 0; i < results.size(); ++i)
      if (!sure(
              options, results[i].warm,
              i < contenders.size() ? contenders[i].replay != nullptr : results[i].problem.empty()))
        return false;
    return true;
  };
  for (Budget budget(options.samples, options.seconds); !all_sure() && budget.next();
       backwards = !backwards)
    in_turn(results.size(), backwards, [&](std::size_t i) {
      if (i >= contenders.size())
        return attempt_remote(results[i],
                              [&] { add(remotes[i - contenders.size()]->sample(), results[i]); });
      Contender& contender = contenders[i];
      if (contender.replay) contender.attempt([&] { add(contender.sample(options), results[i]); });
    });
  for (Measurement& result : results)
    if (result.problem.empty() && result.warm.empty() && result.throttled > 0)
      result.problem = always_slow(result.throttled);
  return results;
}

std::unique_ptr<StepTurns> prepare_step_turns(const RecordedStep& step,
                                              const ClosedBackend& backend,
                                              const MeasureOptions& options, bool captured) {
  auto device = backend.open();
  if (captured && !device->can_capture()) return nullptr;
  return std::make_unique<LocalSteps>(step, backend, options, std::move(device), captured);
}

std::vector<StepMeasurement> measure_step(const RecordedStep& step,
                                          const std::vector<ClosedBackend>& backends,
                                          const MeasureOptions& options,
                                          const std::vector<RemoteSteps*>& remotes) {
  std::vector<StepMeasurement> results;
  for (const bool captured : {false, true}) {
    if (options.once && captured) break;  // a first step is never captured
    for (StepMeasurement& result : measure_mode(step, backends, options, remotes, captured))
      results.push_back(std::move(result));
  }
  return results;
}

}  // namespace glia::bench
