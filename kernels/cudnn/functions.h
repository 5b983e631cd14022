// The functions of cuDNN 9 that this backend calls, in a library that is loaded at the first of
// them.
#pragma once

#include <cudnn.h>

#include <string>

namespace glia::cudnn {

#define GLIA_CUDNN_FUNCTIONS(F)              \
  F(cudnnActivationBackward)                 \
  F(cudnnActivationForward)                  \
  F(cudnnAddTensor)                          \
  F(cudnnBackendCreateDescriptor)            \
  F(cudnnBackendDestroyDescriptor)           \
  F(cudnnBackendExecute)                     \
  F(cudnnBackendFinalize)                    \
  F(cudnnBackendGetAttribute)                \
  F(cudnnBackendSetAttribute)                \
  F(cudnnBatchNormalizationBackward)         \
  F(cudnnBatchNormalizationForwardInference) \
  F(cudnnBatchNormalizationForwardTraining)  \
  F(cudnnConvolutionBackwardBias)            \
  F(cudnnCreate)                             \
  F(cudnnCreateActivationDescriptor)         \
  F(cudnnCreateTensorDescriptor)             \
  F(cudnnDestroy)                            \
  F(cudnnDestroyActivationDescriptor)        \
  F(cudnnDestroyTensorDescriptor)            \
  F(cudnnGetErrorString)                     \
  F(cudnnGetLastErrorString)                 \
  F(cudnnGetVersion)                         \
  F(cudnnSetActivationDescriptor)            \
  F(cudnnSetStream)                          \
  F(cudnnSetTensor4dDescriptor)              \
  F(cudnnSetTensor4dDescriptorEx)            \
  F(cudnnTransformTensor)

/// Under NVIDIA's own names: `cudnn().cudnnCreate(&handle)`.
struct Functions {
#define GLIA_CUDNN_POINTER(name) decltype(&::name) name = nullptr;
  GLIA_CUDNN_FUNCTIONS(GLIA_CUDNN_POINTER)
#undef GLIA_CUDNN_POINTER
};

/// Throws `Error` where cuDNN 9 cannot be loaded (shared_library.h says where it is looked for).
const Functions& cudnn();
/// The file that is loaded. Throws like the functions.
std::string cudnn_path();

}  // namespace glia::cudnn
