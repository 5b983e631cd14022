#include "kernels/cudnn/descriptor.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  require_success(cudnn().cudnnBackendCreateDescriptor(type, &handle_), "creating a descriptor");
}

Descriptor::~Descriptor() {
  if (handle_) cudnn().cudnnBackendDestroyDescriptor(handle_);
}

void Descriptor::set_many(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          std::size_t count, const void* values) {
  require_success(cudnn().cudnnBackendSetAttribute(handle_, name, type,
                                                   static_cast<std::int64_t>(count), values),
                  "setting an attribute");
}

cudnnStatus_t Descriptor::try_to_finalize() {
  return cudnn().cudnnBackendFinalize(handle_);
}

void Descriptor::finalize() {
  require_success(try_to_finalize(), "finalising a descriptor");
}

std::size_t Descriptor::get_many(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                 std::size_t count, void* values) const {
  std::int64_t filled = 0;
  require_success(cudnn().cudnnBackendGetAttribute(
                      handle_, name, type, static_cast<std::int64_t>(count), &filled, values),
                  "reading an attribute");
  return static_cast<std::size_t>(filled);
}

std::int64_t Descriptor::int64(cudnnBackendAttributeName_t name) const {
  std::int64_t value = 0;
  get_many(name, CUDNN_TYPE_INT64, 1, &value);
  return value;
}

std::vector<Descriptor> Descriptor::descriptors(cudnnBackendAttributeName_t name,
                                                cudnnBackendDescriptorType_t type) const {
  // cuDNN fills descriptors that the caller has created, and first tells how many.
  std::vector<Descriptor> result(get_many(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr));
  if (result.empty()) return result;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (Descriptor& descriptor : result) {
    descriptor = Descriptor(type);
    handles.push_back(descriptor.handle());
  }
  const std::size_t filled =
      get_many(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, handles.size(), handles.data());
  result.resize(std::min(filled, handles.size()));
  return result;
}

cudnnDataType_t cudnn_type(DType type) {
  check(type == DType::f32 || type == DType::bf16, "cudnn: a tensor of {}, expected f32 or bf16",
        name_of(type));
  return type == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

namespace {

Descriptor unfinished_tensor(std::int64_t id, const Image& image, cudnnDataType_t type) {
  const std::array<std::int64_t, 4> extents{image.N, image.C, image.H, image.W};
  const std::array<std::int64_t, 4> strides{image.stride_n, 1, image.stride_h, image.stride_w};
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, extents);
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, strides);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, image.alignment());
  return tensor;
}

}  // namespace

Descriptor tensor_descriptor(std::int64_t id, const Image& image, cudnnDataType_t type) {
  Descriptor tensor = unfinished_tensor(id, image, type);
  tensor.finalize();
  return tensor;
}

Descriptor virtual_tensor(std::int64_t id, const Image& image) {
  Descriptor tensor = unfinished_tensor(id, dense_like(image), CUDNN_DATA_FLOAT);
  tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, true);
  tensor.finalize();
  return tensor;
}

}  // namespace glia::cudnn
