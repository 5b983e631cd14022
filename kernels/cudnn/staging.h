// Calling cuDNN with tensors that it may not take as they are.
//
// A call is first made with the operands as given, slices with their strides. Where cuDNN declines
// that, it is made with dense copies in the workspace, which cuDNN copies too
// (cudnnTransformTensor); where bf16 is copied or converted our own kernel does it.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "kernels/cudnn/library.h"

namespace glia::cudnn {

/// Parts of one reservation of the workspace, each aligned to 256 bytes.
class Scratch {
 public:
  /// The place of a part, for `at`.
  std::size_t add(std::size_t bytes);
  void reserve(KernelContext& context);
  void* at(std::size_t place) const { return base_ + place; }

 private:
  std::size_t bytes_ = 0;
  char* base_ = nullptr;
};

/// to = from, or to += from, in fp32 and rounded once. Strides and types may differ, extents not.
void copy_image(KernelContext& context, const Image& from, const Image& to, Write write);

/// y += b in every pixel of a y in float32. What cuDNN answers.
cudnnStatus_t add_bias(cudnnHandle_t handle, const void* b, const Image& y);

/// A tensor of a plan. When `image` has no data it is scratch memory; then `original`, if that has
/// data, is copied there before the plan runs (`read`) or from there afterwards (`written`). The
/// scratch image may be larger: the original lies in it from pixel (top, left), zeros around it. It
/// may also be of the other type. `bias`, where given, is added to what the plan has written,
/// before that is copied: float32, one a channel, as the image must be then.
struct PlanOperand {
  std::int64_t id = 0;
  Image image, original{};
  std::int64_t top = 0, left = 0;
  bool read = false, written = false;
  Write write = Write::overwrite;
  const void* bias = nullptr;
};

using PlanBuilder = std::function<std::unique_ptr<Plan>()>;

/// Runs the plan of `key`, built where there is none yet, and returns true. Returns false when it
/// cannot be built: `problem` then says why, and nothing has been queued.
bool run_plan(KernelContext& context, const PlanKey& key, const PlanBuilder& build,
              std::span<const PlanOperand> operands, std::string& problem);

/// A tensor of a single call. Without data it is scratch memory.
struct CallOperand {
  Image image;
  bool read = false, written = false;
};

inline CallOperand input(const ConstView& view) {
  return {.image = image_of(view), .read = true};
}
inline CallOperand output(const View& view, Write write = Write::overwrite) {
  return {.image = image_of(view), .read = write == Write::accumulate, .written = true};
}

/// y += b in every pixel of a y that is stored, in float32; nothing where there is no b. Throws
/// `Error`.
void add_bias(KernelContext& context, const char* op, const void* b, const Image& y);

using Call = std::function<cudnnStatus_t(cudnnHandle_t, std::span<const Image>)>;

/// Runs `call` with the operands in the order given. Throws `Error`.
void run_call(KernelContext& context, const char* op, const std::vector<CallOperand>& operands,
              const Call& call);

/// A tensor as the functions outside the graph interface take it.
class TensorDescriptor {
 public:
  enum class As : std::uint8_t {
    image,  // N, C, H, W with NHWC strides: for what treats channels apart
    rows    // N, H, W, C as if these were N, C, H, W: the same memory for what does not; cuDNN's
            // kernels for that order are the faster ones
  };
  explicit TensorDescriptor(const Image& image, As as = As::image);
  /// One number a channel, [1, C, 1, 1].
  static TensorDescriptor channels(std::int64_t C);
  ~TensorDescriptor();
  TensorDescriptor(TensorDescriptor&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  TensorDescriptor& operator=(TensorDescriptor&&) = delete;
  operator cudnnTensorDescriptor_t() const { return handle_; }

 private:
  TensorDescriptor();
  cudnnTensorDescriptor_t handle_ = nullptr;
};

// Factors of cuDNN's functions: result = kOne * f(...) + blend(write) * result.
inline constexpr float kOne = 1, kZero = 0;
inline const float* blend(Write write) {
  return write == Write::accumulate ? &kOne : &kZero;
}

}  // namespace glia::cudnn
