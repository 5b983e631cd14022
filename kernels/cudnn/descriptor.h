// A descriptor of cuDNN's graph interface: attributes are set one by one, then it is finalised.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/cudnn/image.h"

namespace glia::cudnn {

/// Owns it. Functions throw `Error` with cuDNN's words where they do not return a status.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    set_many(name, type, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, std::int64_t value) {
    set(name, CUDNN_TYPE_INT64, value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
    set(name, CUDNN_TYPE_DATA_TYPE, value);
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, value.handle_);
  }
  void set(cudnnBackendAttributeName_t name, std::span<const std::int64_t> values) {
    set_many(name, CUDNN_TYPE_INT64, values.size(), values.data());
  }
  void set_many(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                std::size_t count, const void* values);
  void finalize();
  cudnnStatus_t try_to_finalize();

  std::int64_t int64(cudnnBackendAttributeName_t name) const;
  /// The descriptors in an attribute of several, all of `type`.
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptorType_t type) const;
  /// How many of the elements of `values` were filled.
  std::size_t get_many(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                       std::size_t count, void* values) const;

  cudnnBackendDescriptor_t handle() const { return handle_; }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

/// What cuDNN calls a type. Throws `Error` for one that its functions are never asked for.
cudnnDataType_t cudnn_type(DType type);

/// A tensor that plans call `id`, in cuDNN's order of extents (N, C, H, W) with NHWC strides.
Descriptor tensor_descriptor(std::int64_t id, const Image& image, cudnnDataType_t type);
inline Descriptor tensor_descriptor(std::int64_t id, const Image& image) {
  return tensor_descriptor(id, image, cudnn_type(image.type));
}
/// One that lives within a plan alone, between two operations of it, and is not rounded there.
Descriptor virtual_tensor(std::int64_t id, const Image& image);

}  // namespace glia::cudnn
