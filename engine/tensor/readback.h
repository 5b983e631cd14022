// Small results on their way to the host, read some time after they were asked for.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/tensor/tensor.h"

namespace glia {

class TensorReadback {
 public:
  /// The device must outlive it.
  explicit TensorReadback(Device& device) : device_(&device) {}

  /// Asks for the elements of dense tensors as what was queued before leaves them. Those of the
  /// last time must have been waited for.
  void start(std::span<const Tensor> tensors);
  /// Until they have come.
  void wait();
  /// Those of tensor `index`, in row-major order. Throws `Error` when they have not been waited for
  /// or T is not their type.
  template <class T>
  std::vector<T> values(std::size_t index) const;
  /// The single element of one.
  double item(std::size_t index) const;

 private:
  struct Part {
    std::size_t place, count;  // in bytes, in elements
    DType dtype;
  };
  const Part& part(std::size_t index, DType dtype) const;

  Device* device_;
  std::unique_ptr<Readback> readback_;
  std::size_t room_ = 0;
  std::vector<Part> parts_;
  bool here_ = true;
};

}  // namespace glia
