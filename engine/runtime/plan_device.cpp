#include "engine/runtime/plan_device.h"

#include <cstring>

namespace glia {

namespace {

template <class Args>
void do_nothing(KernelContext&, const Args&) {}

/// Stands for the kernel of any operation.
struct Nothing {
  template <class Args>
  constexpr operator Kernel<Args>() const {  // NOLINT: that is what it is for
    return do_nothing<Args>;
  }
};
constexpr Nothing kNothing;

constexpr KernelTable kTable = {
    .name = "plan",
    .dtype = DType::f32,
    .conv2d_forward = kNothing,
    .conv2d_dgrad = kNothing,
    .conv2d_wgrad = kNothing,
    .conv_transpose2d_forward = kNothing,
    .conv_transpose2d_dgrad = kNothing,
    .conv_transpose2d_wgrad = kNothing,
    .batch_norm_forward_train = kNothing,
    .batch_norm_forward_eval = kNothing,
    .batch_norm_backward_train = kNothing,
    .batch_norm_backward_eval = kNothing,
    .group_norm_forward = kNothing,
    .group_norm_backward = kNothing,
    .channel_moments = kNothing,
    .batch_norm_relu_map_train = kNothing,
    .batch_norm_relu_map_eval = kNothing,
    .batch_norm_relu_backward_train = kNothing,
    .batch_norm_relu_backward_eval = kNothing,
    .materialise = kNothing,
    .relu_forward = kNothing,
    .relu_backward = kNothing,
    .sigmoid_forward = kNothing,
    .sigmoid_backward = kNothing,
    .dropout = kNothing,
    .add = kNothing,
    .mul = kNothing,
    .scale = kNothing,
    .fill = kNothing,
    .sum = kNothing,
    .threshold = kNothing,
    .max_pool2d_forward = kNothing,
    .max_pool2d_backward = kNothing,
    .upsample_nearest2d_forward = kNothing,
    .upsample_nearest2d_backward = kNothing,
    .iou_loss_forward = kNothing,
    .iou_loss_backward = kNothing,
    .dice_loss_forward = kNothing,
    .dice_loss_backward = kNothing,
    .bce_with_logits_forward = kNothing,
    .bce_with_logits_backward = kNothing,
    .confusion_counts = kNothing,
    .adam_step = kNothing,
    .sgd_step = kNothing,
    .rmsprop_step = kNothing,
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

PlanDevice::PlanDevice()
    : PlanDevice(std::make_shared<CachingAllocator>(std::make_unique<NoMemory>())) {}

PlanDevice::PlanDevice(std::shared_ptr<CachingAllocator> memory)
    : Device("plan", kTable, memory, 1), memory_(std::move(memory)) {}

}  // namespace glia
