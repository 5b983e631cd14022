#include "benchmarks/judge/execute.h"

#include <algorithm>
#include <memory>

#include "engine/base/check.h"
#include "engine/runtime/allocator.h"
#include "benchmarks/judge/devices.h"
#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

constexpr double kNeighbour = 12352;  // would show in any result; bf16 has it
constexpr std::size_t kScratch = std::size_t{1} << 20;

/// Creates tensors, images as channel slices if asked, and remembers what lies beside them.
class Placement {
 public:
  Placement(Device& device, const Margins& margins) : device_(device), margins_(margins) {}

  /// Images have the type of activations.
  Tensor place(const Shape& shape, bool image) {
    const KernelTable& kernels = device_.kernels();
    return place(shape, image, image ? kernels.activations : kernels.parameters);
  }

  Tensor place(const Shape& shape, bool image, DType dtype) {
    if (!margins_ || !image || shape.rank() != 4) return Tensor::empty(device_, shape, dtype);
    const std::int64_t channels = shape.channels();
    Tensor wide = Tensor::empty(
        device_, shape.with_channels(margins_.before + channels + margins_.after), dtype);
    store(Values(static_cast<std::size_t>(wide.numel()), kNeighbour), wide);
    wide_.push_back(wide);
    return wide.channels(margins_.before, channels);
  }

  bool neighbours_intact() const {
    const auto before = static_cast<std::size_t>(margins_.before);
    const auto after = static_cast<std::size_t>(margins_.after);
    return std::all_of(wide_.begin(), wide_.end(), [&](const Tensor& wide) {
      const Values values = load(wide);
      const auto pitch = static_cast<std::size_t>(wide.shape().channels());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool beside = i % pitch < before || i % pitch >= pitch - after;
        if (beside && values[i] != kNeighbour) return false;
      }
      return true;
    });
  }

 private:
  Device& device_;
  Margins margins_;
  std::vector<Tensor> wide_;
};

/// Notes the kernels of the backward pass and where they write.
class KernelNotes : public Watcher {
 public:
  void begin(Phase phase) override { backward_ = phase == Phase::backward; }
  void after(Device&, const KernelCall& call) override {
    if (!backward_) return;
    for (const Operand& operand : call.operands())
      if (operand.role != Role::in) calls_.emplace_back(call.kernel().name, operand.view.data);
  }

  /// Their names, each once; of those that wrote there, where a place is given.
  std::vector<std::string> names(const void* place = nullptr) const {
    std::vector<std::string> names;
    for (const auto& [name, data] : calls_)
      if ((place == nullptr || data == place) &&
          std::find(names.begin(), names.end(), name) == names.end())
        names.emplace_back(name);
    return names;
  }

 private:
  bool backward_ = false;
  std::vector<std::pair<const char*, const void*>> calls_;
};

void run_on(Device& device, const Case& test, const Plan& plan, Outcome& outcome) {
  Placement placement(device, plan.slices);
  const auto notes = plan.note_kernels ? std::make_shared<KernelNotes>() : nullptr;
  if (notes) device.watch(notes);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < test.inputs.size(); ++i) {
    const Input& input = test.inputs[i];
    inputs.push_back(placement.place(input.shape, input.image));
    store(plan.inputs[i], inputs[i]);
    if (plan.dy.empty() || !input.grad) continue;
    inputs[i].set_wants_grad(true);
    if (!plan.slices && plan.prefill.empty()) continue;  // the tape allocates
    const Tensor grad = placement.place(input.shape, input.image);
    if (!plan.prefill.empty()) store(plan.prefill[i], grad);
    inputs[i].bind_grad(grad, plan.prefill.empty() ? Write::overwrite : Write::accumulate);
  }

  Tape tape(device, plan.dy.empty() ? Tape::Mode::off : Tape::Mode::record);
  const Tensor out =
      plan.slices && test.takes_out ? placement.place(plan.out_shape, true) : Tensor();
  const Tensor y = test.build(tape, inputs, out);
  outcome.shape = y.shape();
  outcome.type = y.dtype();
  outcome.y = load(y);
  for (std::size_t i : test.updated) outcome.updated.push_back(load(inputs[i]));

  if (!plan.dy.empty()) {
    const Tensor dy = Tensor::empty(device, y.shape(), y.dtype());
    store(plan.dy, dy);
    if (plan.slices) y.bind_grad(placement.place(y.shape(), true, y.dtype()));
    device.begin(Phase::backward);
    tape.backward(y, dy);
    if (notes) outcome.ran = notes->names();
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor grad = inputs[i].grad();
    const bool wanted = inputs[i].wants_grad();
    if (wanted != grad.defined())
      outcome.problems.push_back(
          fmt::format("input {} {} a gradient", i, wanted ? "has not got" : "has unwanted"));
    outcome.gradients.push_back(grad.defined() ? load(grad) : Values());
    if (notes)
      outcome.writers.push_back(grad.defined() ? notes->names(grad.view().data)
                                               : std::vector<std::string>());
    const bool may_change =
        std::find(test.updated.begin(), test.updated.end(), i) != test.updated.end();
    if (!may_change && load(inputs[i]) != plan.inputs[i])
      outcome.problems.push_back(fmt::format("input {} was changed", i));
  }
  if (!placement.neighbours_intact())
    outcome.problems.push_back("channels beside a slice were overwritten");
}

}  // namespace

Outcome execute(const Case& test, const KernelTable& kernels, const Plan& plan) {
  const auto memory = guarded_memory(kernels);
  Outcome outcome;
  {
    Device device("guarded", kernels, memory, plan.threads);
    device.context().conv = test.conv;
    if (test.bf16) {
      device.context().precision = ConvPrecision::bf16;
      device.context().bf16 = *test.bf16;
    }
    if (test.tf32) device.context().precision = ConvPrecision::tf32;
    device.context().gpu_conv = test.gpu_conv;
    // NaN, so that a kernel which reads scratch memory before writing it shows.
    memory->fill(device.context().workspace.reserve(kScratch), 0xFF, kScratch);
    run_on(device, test, plan, outcome);
  }
  if (memory->violations() > 0)
    outcome.problems.push_back("memory around a tensor was overwritten");
  return outcome;
}

}  // namespace glia::test
