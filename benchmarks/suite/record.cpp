#include "benchmarks/suite/record.h"

#include <map>

#include "benchmarks/suite/reference.h"
#include "benchmarks/suite/work.h"
#include "engine/runtime/plan_device.h"
#include "engine/runtime/run.h"
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

RecordedStep record_training_step(const UNetConfig& config, std::int64_t batch_size,
                                  std::int64_t size, const Recording& how) {
  UNet net(config);
  check(batch_size >= 1 && batch_size <= 4096, "--batch-size: found {}, expected 1 to 4096",
        batch_size);
  check(size >= net.size_multiple() && size <= 4096 && size % net.size_multiple() == 0,
        "--size: found {}, expected a multiple of {} (2^depth) up to 4096", size,
        net.size_multiple());
  // No kernel is called. No address is used twice, so that one tells which tensor it is.
  const KernelTable kernels = {.name = "recording",
                               .activations = how.activations,
                               .maps = how.maps,
                               .gives_moments = how.gives_moments || how.maps == Maps::read};
  Device device("recording", kernels, std::make_shared<NoMemory>(), 1);
  device.set_memory_mode(how.memory);
  const auto recorder = std::make_shared<Recorder>();
  device.watch(recorder);
  net.parameters().allocate(device);
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(device, net, adam, objective, 0, TrainStep::Mode::eager);
  step.run_on_empty({batch_size, size, size, config.in_channels});
  const StepShape shape{.batch_size = batch_size,
                        .height = size,
                        .width = size,
                        .optimizer = {},
                        .objective = objective};
  return {
      .config = config,
      .batch_size = batch_size,
      .size = size,
      .calls = recorder->take_calls(),
      .planned_bytes = plan_step([&] { return std::make_unique<UNet>(config); }, shape,
                                 {.cpu = how.maps == Maps::read,
                                  .memory = how.memory,
                                  .precision = how.activations == DType::bf16 ? ConvPrecision::bf16
                                                                              : ConvPrecision::fp32,
                                  .maps = how.maps})
                           .step_bytes,
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
