// What a Tensor handle points at. Only tensor.cpp and the tape look inside.
#pragma once

#include "engine/tensor/tensor.h"

namespace glia {

struct Tensor::Storage {
  std::shared_ptr<Allocator> allocator;
  void* data;
  std::size_t bytes;

  Storage(Device& device, std::size_t size)
      : allocator(device.shared_allocator()), data(allocator->allocate(size)), bytes(size) {}
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage() { allocator->release(data, bytes); }
};

struct Tensor::Body {
  Device* device;
  std::shared_ptr<Storage> storage;
  std::int64_t offset;  // in elements
  Shape shape;
  std::int64_t pitch;
  DType dtype;
  Tensor map{};     // of a deferred tensor
  Tensor shadow{};  // of a parameter

  Tensor grad{};              // where the gradient is, once known
  bool wants_grad = false;    // asked for
  bool grad_written = false;  // holds a gradient of this backward pass
};

}  // namespace glia
