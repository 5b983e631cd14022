// relu and sigmoid. A NaN passes relu, as in our kernels.
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/kernels.h"
#include "kernels/cudnn/staging.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

namespace {

class ActivationDescriptor {
 public:
  explicit ActivationDescriptor(cudnnActivationMode_t mode) {
    require_success(cudnn().cudnnCreateActivationDescriptor(&handle_), "creating an activation");
    require_success(cudnn().cudnnSetActivationDescriptor(handle_, mode, CUDNN_PROPAGATE_NAN, 0),
                    "describing an activation");
  }
  ~ActivationDescriptor() { cudnn().cudnnDestroyActivationDescriptor(handle_); }
  ActivationDescriptor(const ActivationDescriptor&) = delete;
  ActivationDescriptor& operator=(const ActivationDescriptor&) = delete;
  operator cudnnActivationDescriptor_t() const { return handle_; }

 private:
  cudnnActivationDescriptor_t handle_ = nullptr;
};

constexpr auto kRows = TensorDescriptor::As::rows;

void forward(KernelContext& context, const char* op, cudnnActivationMode_t mode, const ConstView& x,
             const View& y) {
  if (x.shape.numel() == 0) return;
  run_call(context, op, {input(x), output(y)},
           [mode](cudnnHandle_t handle, std::span<const Image> images) {
             const TensorDescriptor from(images[0], kRows), to(images[1], kRows);
             return cudnn().cudnnActivationForward(handle, ActivationDescriptor(mode), &kOne, from,
                                                   images[0].data, &kZero, to, images[1].data);
           });
}

/// cuDNN wants x besides y, but dx of both functions follows from y, which stands in for it: y > 0
/// exactly where x > 0.
void backward(KernelContext& context, const char* op, cudnnActivationMode_t mode,
              const ConstView& dy, const ConstView& y, const View& dx, Write write) {
  if (dy.shape.numel() == 0) return;
  run_call(context, op, {input(dy), input(y), output(dx, write)},
           [mode, write](cudnnHandle_t handle, std::span<const Image> images) {
             const TensorDescriptor from(images[0], kRows), saved(images[1], kRows),
                 to(images[2], kRows);
             return cudnn().cudnnActivationBackward(
                 handle, ActivationDescriptor(mode), &kOne, saved, images[1].data, from,
                 images[0].data, saved, images[1].data, blend(write), to, images[2].data);
           });
}

}  // namespace

void relu_forward(KernelContext& context, const ReluForward& a) {
  forward(context, name_of(a), CUDNN_ACTIVATION_RELU, a.x, a.y);
}
void relu_backward(KernelContext& context, const ReluBackward& a) {
  backward(context, name_of(a), CUDNN_ACTIVATION_RELU, a.dy, a.y, a.dx, a.write);
}
void sigmoid_forward(KernelContext& context, const SigmoidForward& a) {
  forward(context, name_of(a), CUDNN_ACTIVATION_SIGMOID, a.x, a.y);
}
void sigmoid_backward(KernelContext& context, const SigmoidBackward& a) {
  backward(context, name_of(a), CUDNN_ACTIVATION_SIGMOID, a.dy, a.y, a.dx, a.write);
}

}  // namespace glia::cudnn
