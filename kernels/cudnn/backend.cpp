#include "kernels/cudnn/backend.h"

#include <fmt/format.h>

#include "kernels/cuda/memory.h"
#include "kernels/cuda/table.h"
#include "kernels/cudnn/blas.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/kernels.h"
#include "kernels/cudnn/library.h"

namespace glia::cudnn {

namespace {

/// `ours` with what the libraries compute in place of our kernels.
KernelTable overlay(const KernelTable& ours, const KernelTable* in_bf16) {
  KernelTable table = ours;
  table.name = "cudnn";
  table.algorithm = nullptr;  // the library chooses
  table.reads_map = nullptr;
  table.maps = Maps::none;  // its norms and ReLU are passes by themselves
  table.maps_results = false;
  table.gives_moments = false;
  table.in_bf16 = in_bf16;
  table.conv2d_forward = conv2d_forward;
  table.conv2d_dgrad = conv2d_dgrad;
  table.conv2d_wgrad = conv2d_wgrad;
  table.conv_transpose2d_forward = conv_transpose2d_forward;
  table.conv_transpose2d_dgrad = conv_transpose2d_dgrad;
  table.conv_transpose2d_wgrad = conv_transpose2d_wgrad;
  table.batch_norm_forward_train = batch_norm_forward_train;
  table.batch_norm_forward_eval = batch_norm_forward_eval;
  table.batch_norm_backward_train = batch_norm_backward_train;
  table.relu_forward = relu_forward;
  table.relu_backward = relu_backward;
  table.sigmoid_forward = sigmoid_forward;
  table.sigmoid_backward = sigmoid_backward;
  table.max_pool2d_forward = max_pool2d_forward;
  table.max_pool2d_backward = max_pool2d_backward;
  return table;
}

/// The memory of a GPU, with the libraries' handles bound to its stream.
class Memory : public cuda::Memory {
 public:
  explicit Memory(int index) : cuda::Memory(index) {
    KernelContext context;
    cuda::Memory::describe(context);
    library_ = std::make_unique<Library>(static_cast<cudaStream_t>(context.stream));
  }

  void describe(KernelContext& context) const override {
    cuda::Memory::describe(context);
    context.vendor = library_.get();
  }

 private:
  std::unique_ptr<Library> library_;
};

std::unique_ptr<Allocator> open(int index) {
  return std::make_unique<Memory>(index);
}

GpuSurvey survey(SurveyOf gpus) {
  return cuda::backend().survey(gpus);
}

/// For this no GPU is needed.
std::string libraries() {
  try {
    const std::size_t version = cudnn().cudnnGetVersion();
    return fmt::format("cuDNN {}.{}.{} ({}), cuBLAS ({})", version / 10000, version / 100 % 100,
                       version % 100, cudnn_path(), cublas_path());
  } catch (const Error& missing) {
    return fmt::format("none: {}", missing.what());
  }
}

/// Our kernels' and the driver's, and products by cuBLAS.
const PeakWork& peak_work() {
  static const PeakWork kWork = [] {
    PeakWork work = *cuda::backend().peaks;
    work.product = [](KernelContext& context, Arithmetic arithmetic, std::int64_t extent,
                      const void* a, const void* b, void* c) {
      library_of(context).blas().square_product(context, arithmetic, extent, a, b, c);
    };
    work.product_by = "cuBLAS";
    return work;
  }();
  return kWork;
}

}  // namespace

const GpuBackend& backend() {
  static const KernelTable kInBf16 = overlay(*cuda::table().in_bf16, nullptr);
  static const KernelTable kTable = overlay(cuda::table(), &kInBf16);
  static const GpuBackend kBackend = {.kernels = &kTable,
                                      .survey = survey,
                                      .open = open,
                                      .libraries = libraries,
                                      .peaks = &peak_work()};
  return kBackend;
}

std::vector<std::string> plans(const KernelContext& context) {
  std::vector<std::string> lines;
  library_of(context).plans().each([&](const Built<Plan>& built) {
    lines.push_back(built.plan ? built.plan->note : "declined: " + built.problem);
  });
  return lines;
}

}  // namespace glia::cudnn
