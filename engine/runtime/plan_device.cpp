#include "engine/runtime/plan_device.h"

#include <cstring>
#include <string_view>

#include "engine/runtime/run.h"
#include "kernels/cpu/table.h"

namespace glia {

namespace {

/// The parameters among the operands, which tell the layer.
template <class Args>
std::vector<const void*> parameters_of(const Args& a) {
  std::vector<const void*> found;
  if constexpr (requires { a.w.data; }) found.push_back(a.w.data);
  if constexpr (requires { a.dw.data; }) found.push_back(a.dw.data);
  if constexpr (requires { a.gamma.data; }) found.push_back(a.gamma.data);
  return found;
}

/// Computes nothing. The CPU's convolutions say how much scratch memory they take; that of other
/// kernels is a few values a channel.
template <auto entry>
void plan(KernelContext& context, const typename detail::EntryArgs<decltype(entry)>::type& args) {
  using Args = typename detail::EntryArgs<decltype(entry)>::type;
  static_cast<PlanLog*>(context.stream)->start_kernel(Args::kName, parameters_of(args));
  if constexpr (std::string_view(Args::kName).starts_with("conv"))
    if (context.dry_run) (cpu::table().*entry)(context, args);
}

using Table = KernelTable;
constexpr KernelTable kTable = {
    .name = "plan",
    .dtype = DType::f32,
    .conv2d_forward = plan<&Table::conv2d_forward>,
    .conv2d_dgrad = plan<&Table::conv2d_dgrad>,
    .conv2d_wgrad = plan<&Table::conv2d_wgrad>,
    .conv_transpose2d_forward = plan<&Table::conv_transpose2d_forward>,
    .conv_transpose2d_dgrad = plan<&Table::conv_transpose2d_dgrad>,
    .conv_transpose2d_wgrad = plan<&Table::conv_transpose2d_wgrad>,
    .batch_norm_forward_train = plan<&Table::batch_norm_forward_train>,
    .batch_norm_forward_eval = plan<&Table::batch_norm_forward_eval>,
    .batch_norm_backward_train = plan<&Table::batch_norm_backward_train>,
    .batch_norm_backward_eval = plan<&Table::batch_norm_backward_eval>,
    .group_norm_forward = plan<&Table::group_norm_forward>,
    .group_norm_backward = plan<&Table::group_norm_backward>,
    .channel_moments = plan<&Table::channel_moments>,
    .batch_norm_relu_map_train = plan<&Table::batch_norm_relu_map_train>,
    .batch_norm_relu_map_eval = plan<&Table::batch_norm_relu_map_eval>,
    .batch_norm_relu_backward_train = plan<&Table::batch_norm_relu_backward_train>,
    .batch_norm_relu_backward_eval = plan<&Table::batch_norm_relu_backward_eval>,
    .materialise = plan<&Table::materialise>,
    .relu_forward = plan<&Table::relu_forward>,
    .relu_backward = plan<&Table::relu_backward>,
    .sigmoid_forward = plan<&Table::sigmoid_forward>,
    .sigmoid_backward = plan<&Table::sigmoid_backward>,
    .dropout = plan<&Table::dropout>,
    .add = plan<&Table::add>,
    .mul = plan<&Table::mul>,
    .scale = plan<&Table::scale>,
    .fill = plan<&Table::fill>,
    .sum = plan<&Table::sum>,
    .threshold = plan<&Table::threshold>,
    .max_pool2d_forward = plan<&Table::max_pool2d_forward>,
    .max_pool2d_backward = plan<&Table::max_pool2d_backward>,
    .upsample_nearest2d_forward = plan<&Table::upsample_nearest2d_forward>,
    .upsample_nearest2d_backward = plan<&Table::upsample_nearest2d_backward>,
    .iou_loss_forward = plan<&Table::iou_loss_forward>,
    .iou_loss_backward = plan<&Table::iou_loss_backward>,
    .dice_loss_forward = plan<&Table::dice_loss_forward>,
    .dice_loss_backward = plan<&Table::dice_loss_backward>,
    .bce_with_logits_forward = plan<&Table::bce_with_logits_forward>,
    .bce_with_logits_backward = plan<&Table::bce_with_logits_backward>,
    .confusion_counts = plan<&Table::confusion_counts>,
    .adam_step = plan<&Table::adam_step>,
    .sgd_step = plan<&Table::sgd_step>,
    .rmsprop_step = plan<&Table::rmsprop_step>,
};

constexpr KernelTable with_maps(KernelTable table) {
  table.reads_maps = true;
  return table;
}
constexpr KernelTable kCpuTable = with_maps(kTable);

/// The places of the log's layout as addresses.
class PlanMemory : public NoMemory {
 public:
  PlanMemory(std::shared_ptr<PlanLog> log, bool keeps_scratch)
      : log_(std::move(log)), keeps_scratch_(keeps_scratch) {}
  void* allocate(std::size_t bytes) override {
    return reinterpret_cast<void*>(kFirst + log_->allocate(bytes));
  }
  void release(void* data, std::size_t) override {
    log_->release(reinterpret_cast<std::uintptr_t>(data) - kFirst);
  }
  bool keeps_scratch() const override { return keeps_scratch_; }

 private:
  static constexpr std::uintptr_t kFirst = 4096;  // not null
  std::shared_ptr<PlanLog> log_;
  bool keeps_scratch_;
};

}  // namespace

void* NoMemory::allocate(std::size_t bytes) {
  void* address = reinterpret_cast<void*>(next_);
  next_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return address;
}

void NoMemory::copy_out(void* to_host, const void*, std::size_t bytes) {
  std::memset(to_host, 0, bytes);
}

PlanTarget PlanTarget::of(Device& device) {
  return {.cpu = device.kernels().reads_maps,
          .threads = device.context().threads,
          .conv = device.context().conv,
          .memory = device.memory_mode(),
          .precision = device.context().precision};
}

PlanDevice::PlanDevice(const PlanTarget& target)
    : PlanDevice(target, std::make_shared<PlanLog>()) {}

PlanDevice::PlanDevice(const PlanTarget& target, std::shared_ptr<PlanLog> log)
    : Device("plan", target.cpu ? kCpuTable : kTable,
             std::make_shared<PlanMemory>(log, !target.cpu), target.threads),
      target_(target),
      log_(std::move(log)) {
  set_memory_mode(target.memory);
  context().conv = target.conv;
  context().precision = target.precision;
  context().dry_run = target.cpu;
  context().stream = log_.get();
}

void PlanDevice::announce(const Shape& shape, DType dtype) {
  log_->announce(fmt::format("{} {}", shape.str(), name_of(dtype)));
}

std::size_t PlanDevice::peak_bytes() const {
  const ArenaLayout& layout = log_->layout();
  return target_.cpu ? layout.extent() : layout.peak_live_bytes();
}

}  // namespace glia
