#include "benchmarks/suite/record.h"

#include <map>

#include "benchmarks/suite/operands.h"
#include "benchmarks/suite/reference.h"
#include "engine/runtime/plan_device.h"
#include "engine/runtime/run.h"
#include "engine/train/plan.h"
#include "engine/train/train_step.h"

namespace glia::bench {

namespace {

/// What the recording device's kernels write to.
class Log {
 public:
  template <auto entry, class Args>
  void add(const Args& args) {
    Call call;
    call.kernel = Args::kName;
    call.part = call.kernel.ends_with("_step") ? Part::update : part_;
    call.operands = operands_of(args);
    call.extent = extent_of(args);
    call.flops = flops_of(args);
    call.run = [args](Device& device, Places places) {
      run<entry>(device, at_places(args, places));
    };
    call.expected = [args](Places places, std::size_t output, Element e) {
      return reference(at_places(args, places), places[output], e);
    };
    call.layer = layer_of(call);
    if (call.part == Part::forward)
      for (const Operand& operand : call.operands)
        if (operand.role != Role::in) made_by_[operand.view.data] = call.layer;
    if (call.kernel.ends_with("_loss_forward")) part_ = Part::backward;
    calls.push_back(std::move(call));
  }

  /// Says that the parameter `name` and its gradient lie at these addresses.
  void name(const nn::Parameter& parameter) {
    parameters_[parameter.value.view().data] = parameter.layer();
    parameters_[parameter.value.grad().view().data] = parameter.layer();
  }

  std::vector<Call> calls;

 private:
  /// The layer whose parameter the kernel uses; else the one that made the first operand that the
  /// forward pass left; else the layer before.
  std::string layer_of(const Call& call) const {
    if (call.part == Part::update) return "all parameters";
    for (const auto* names : {&parameters_, &made_by_})
      for (const Operand& operand : call.operands)
        if (const auto found = names->find(operand.view.data); found != names->end())
          return found->second;
    return calls.empty() ? "" : calls.back().layer;
  }

  Part part_ = Part::forward;
  std::map<const void*, std::string> parameters_, made_by_;
};

template <auto entry>
void record(KernelContext& context, const typename detail::EntryArgs<decltype(entry)>::type& args) {
  static_cast<Log*>(context.stream)->add<entry>(args);
}

using Table = KernelTable;
constexpr KernelTable kRecordingKernels = {
    .name = "recording",
    .conv2d_forward = record<&Table::conv2d_forward>,
    .conv2d_dgrad = record<&Table::conv2d_dgrad>,
    .conv2d_wgrad = record<&Table::conv2d_wgrad>,
    .conv_transpose2d_forward = record<&Table::conv_transpose2d_forward>,
    .conv_transpose2d_dgrad = record<&Table::conv_transpose2d_dgrad>,
    .conv_transpose2d_wgrad = record<&Table::conv_transpose2d_wgrad>,
    .batch_norm_forward_train = record<&Table::batch_norm_forward_train>,
    .batch_norm_backward_train = record<&Table::batch_norm_backward_train>,
    .batch_norm_relu_map_train = record<&Table::batch_norm_relu_map_train>,
    .batch_norm_relu_backward_train = record<&Table::batch_norm_relu_backward_train>,
    .materialise = record<&Table::materialise>,
    .relu_forward = record<&Table::relu_forward>,
    .relu_backward = record<&Table::relu_backward>,
    .scale = record<&Table::scale>,
    .fill = record<&Table::fill>,
    .max_pool2d_forward = record<&Table::max_pool2d_forward>,
    .max_pool2d_backward = record<&Table::max_pool2d_backward>,
    .upsample_nearest2d_forward = record<&Table::upsample_nearest2d_forward>,
    .upsample_nearest2d_backward = record<&Table::upsample_nearest2d_backward>,
    .iou_loss_forward = record<&Table::iou_loss_forward>,
    .iou_loss_backward = record<&Table::iou_loss_backward>,
    .adam_step = record<&Table::adam_step>,
};

}  // namespace

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
  // The kernels get the log in place of a stream. No address is used twice, so that one tells which
  // tensor it is.
  KernelTable kernels = kRecordingKernels;
  kernels.reads_maps = how.reads_maps;
  Device device("recording", kernels, std::make_shared<NoMemory>(), 1);
  device.set_memory_mode(how.memory);
  Log log;
  device.context().stream = &log;
  net.parameters().allocate(device);
  for (const nn::Parameter& parameter : net.parameters().parameters()) log.name(parameter);
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(device, net, adam, objective, 0, TrainStep::Mode::eager);
  step.run_on_empty({batch_size, size, size, config.in_channels});
  const StepShape shape{.batch_size = batch_size,
                        .height = size,
                        .width = size,
                        .optimizer = {},
                        .objective = objective};
  return {.config = config,
          .batch_size = batch_size,
          .size = size,
          .calls = std::move(log.calls),
          .planned_bytes = plan_step([&] { return std::make_unique<UNet>(config); }, shape,
                                     {.cpu = how.reads_maps, .memory = how.memory})
                               .peak_bytes,
          .parameters = net.parameters().count()};
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
