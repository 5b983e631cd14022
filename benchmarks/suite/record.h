// The list of kernels that a training step or a case runs, recorded from the step itself: the U-Net
// runs on a device without kernels, whose calls are only written down and whose memory are bare
// addresses. No table of layers has to be kept in step with the model.
#pragma once

#include <utility>

#include "benchmarks/cases/case.h"
#include "benchmarks/suite/call.h"
#include "engine/runtime/layer_names.h"
#include "models/unet/unet.h"

namespace glia::bench {

/// A whole training step, or the probabilities of a batch.
enum class Whole : std::uint8_t { train_step, inference };

constexpr const char* name_of(Whole whole) {
  return whole == Whole::train_step ? "train_step" : "inference";
}

struct RecordedStep {
  Whole whole = Whole::train_step;
  UNetConfig config;
  std::int64_t batch_size = 0, size = 0;
  std::vector<Call> calls;        // in the order in which they ran
  std::size_t planned_bytes = 0;  // most that live tensors hold at once
  std::int64_t parameters = 0;
  DType activations = DType::f32;

  double flops() const;
};

/// Writes down every call instead of letting it compute.
class Recorder : public Watcher {
 public:
  void name(const ConstView& view, const std::string& parameter) override {
    layers_.add(view, parameter);
  }
  void begin(Phase phase) override { step_phase_ = phase; }
  bool before(Device& device, const KernelCall& seen) override;
  std::vector<Call> take_calls() { return std::exchange(calls_, {}); }

 private:
  Phase step_phase_ = Phase::forward;
  LayerNames layers_;
  std::vector<Call> calls_;
};

/// As which kind of device the step or the case runs.
struct Recording {
  Maps maps = Maps::none;      // of all backends
  bool gives_moments = false;  // convolutions do, as where maps are read
  MemoryMode memory = MemoryMode::automatic;
  const char* backend = "recording";  // whom errors name
  DType activations = DType::f32;
};

/// Throws `Error` when the configuration, the batch or the size do not fit.
RecordedStep record_training_step(const UNetConfig& config, std::int64_t batch_size,
                                  std::int64_t size, const Recording& how = {});
/// Likewise the kernels that compute the probabilities of a batch.
RecordedStep record_inference(const UNetConfig& config, std::int64_t batch_size, std::int64_t size,
                              const Recording& how = {});

/// The kernel calls of a case, forward and backward, as those of a layer named after it. Throws
/// `Error` when its dimensions do not fit.
std::vector<Call> record_case(const cases::Case& test, const Recording& how = {});

/// Calls of a step that are the same work: timed once.
struct Row {
  Call call;                        // the first of them
  std::vector<std::string> layers;  // of all of them
};

/// In the order of the first of each.
std::vector<Row> distinct_rows(const std::vector<Call>& calls);

}  // namespace glia::bench
