#include "benchmarks/suite/record.h"

#include <map>

#include "benchmarks/suite/reference.h"
#include "benchmarks/suite/work.h"
#include "engine/runtime/plan_device.h"
#include "engine/runtime/run.h"
#include "engine/ops/ops.h"
#include "engine/train/inference.h"
#include "engine/train/plan.h"
#include "engine/train/train_step.h"

namespace glia::bench {

namespace {

template <auto entry>
Call call_of(const KernelCall& seen) {
  using Args = ArgsOf<entry>;
  const Args& args = seen.as<Args>();
  Call call;
  call.kernel = seen.kernel().name;
  call.op = seen.kernel().op;
  call.operands = seen.operands();
  call.settings = settings_of(args);
  call.extent = extent_of(args);
  call.flops = flops_of(args);
  call.run = [args](Device& device, Places places) { run<entry>(device, at_places(args, places)); };
  call.algorithm = [args](Device& device) { return device.algorithm(KernelCall(args)); };
  call.expected = [args](Places places, std::size_t output, Element e) {
    return reference(at_places(args, places), places[output], e);
  };
  return call;
}

/// By number of the kernel.
constexpr Call (*kCallOf[])(const KernelCall&) = {
#define GLIA_KERNEL(name, Args, op, phase) call_of<&KernelTable::name>,
#include "kernels/api/list.h"
};

}  // namespace

bool Recorder::before(Device& device, const KernelCall& seen) {
  check(seen.kernel().id != kNotListed, "bench: {} is not timed by itself", seen.kernel().name);
  Call call = kCallOf[static_cast<std::size_t>(seen.kernel().id)](seen);
  call.phase = seen.kernel().phase == Phase::any ? step_phase_ : seen.kernel().phase;
  call.layer = layers_.of(seen, step_phase_);
  call.activations = device.kernels().activations;
  calls_.push_back(std::move(call));
  return false;
}

double RecordedStep::flops() const {
  double total = 0;
  for (const Call& call : calls) total += call.flops;
  return total;
}

namespace {

void check_batch(const UNet& net, std::int64_t batch_size, std::int64_t size) {
  check(batch_size >= 1 && batch_size <= 4096, "--batch-size: found {}, expected 1 to 4096",
        batch_size);
  check(size >= net.size_multiple() && size <= 4096 && size % net.size_multiple() == 0,
        "--size: found {}, expected a multiple of {} (2^depth) up to 4096", size,
        net.size_multiple());
}

/// A device of which no kernel is called. No address is used twice, so that one tells which tensor
/// it is.
class RecordingDevice {
 public:
  explicit RecordingDevice(const Recording& how)
      : kernels_{.name = "recording",
                 .activations = how.activations,
                 .maps = how.maps,
                 .gives_moments = how.gives_moments || how.maps == Maps::read},
        device_("recording", kernels_, std::make_shared<NoMemory>(), 1) {
    device_.set_memory_mode(how.memory);
    device_.watch(recorder_);
  }
  Device& device() { return device_; }
  std::vector<Call> take_calls() { return recorder_->take_calls(); }

 private:
  KernelTable kernels_;
  Device device_;
  std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
};

PlanTarget target_of(const Recording& how) {
  return {.cpu = how.maps == Maps::read,
          .memory = how.memory,
          .precision = how.activations == DType::bf16 ? ConvPrecision::bf16 : ConvPrecision::fp32,
          .maps = how.maps};
}

void infer(Device& device, UNet& net, const Shape& images) {
  net.parameters().set_wants_grads(false);
  Tape tape(device, Tape::Mode::off);
  ops::sigmoid(tape, infer_logits(device, net, Tensor::empty(device, images), false));
}

}  // namespace

RecordedStep record_training_step(const UNetConfig& config, std::int64_t batch_size,
                                  std::int64_t size, const Recording& how) {
  UNet net(config);
  check_batch(net, batch_size, size);
  RecordingDevice recording(how);
  net.parameters().allocate(recording.device());
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(recording.device(), net, adam, objective, 0, TrainStep::Mode::eager);
  step.run_on_empty({batch_size, size, size, config.in_channels});
  const StepShape shape{.batch_size = batch_size,
                        .height = size,
                        .width = size,
                        .optimizer = {},
                        .objective = objective};
  return {.config = config,
          .batch_size = batch_size,
          .size = size,
          .calls = recording.take_calls(),
          .planned_bytes =
              plan_step([&] { return std::make_unique<UNet>(config); }, shape, target_of(how))
                  .step_bytes,
          .parameters = net.parameters().count(),
          .activations = how.activations};
}

RecordedStep record_inference(const UNetConfig& config, std::int64_t batch_size, std::int64_t size,
                              const Recording& how) {
  UNet net(config), planned(config);
  check_batch(net, batch_size, size);
  const Shape images{batch_size, size, size, config.in_channels};
  RecordingDevice recording(how);
  net.parameters().allocate(recording.device());
  infer(recording.device(), net, images);
  PlanDevice plan(target_of(how));
  planned.parameters().allocate(plan);
  infer(plan, planned, images);
  return {.whole = Whole::inference,
          .config = config,
          .batch_size = batch_size,
          .size = size,
          .calls = recording.take_calls(),
          .planned_bytes = plan.peak_bytes(),
          .parameters = net.parameters().count(),
          .activations = how.activations};
}

std::vector<Call> record_case(const cases::Case& test, const Recording& how) {
  const KernelTable kernels = {.name = how.backend,
                               .activations = how.activations,
                               .maps = how.maps,
                               .gives_moments = how.gives_moments || how.maps == Maps::read};
  Device device(how.backend, kernels, std::make_shared<NoMemory>(), 1);
  const auto recorder = std::make_shared<Recorder>();
  device.watch(recorder);
  std::vector<Tensor> inputs;
  for (const cases::Input& input : test.inputs) {
    inputs.push_back(
        Tensor::empty(device, input.shape, input.image ? kernels.activations : kernels.parameters));
    inputs.back().set_wants_grad(input.grad);
  }
  Tape tape(device);
  const Tensor y = test.build(tape, inputs, {});
  std::vector<Call> calls = recorder->take_calls();
  if (y.wants_grad()) {
    tape.backward(y, Tensor::empty(device, y.shape(), y.dtype()));
    const std::vector<Call> backward = recorder->take_calls();
    // Without the first, which copies the gradient to start from.
    calls.insert(calls.end(), backward.begin() + 1, backward.end());
  }
  for (Call& call : calls) call.layer = test.name;
  return calls;
}

std::vector<Row> distinct_rows(const std::vector<Call>& calls) {
  std::vector<Row> rows;
  std::map<std::string, std::size_t> known;
  for (const Call& call : calls) {
    const auto [place, is_new] = known.try_emplace(call.key(), rows.size());
    if (is_new) rows.push_back({call, {}});
    rows[place->second].layers.push_back(call.layer);
  }
  return rows;
}

}  // namespace glia::bench
