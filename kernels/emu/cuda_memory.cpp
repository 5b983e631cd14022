// The part of the CUDA runtime that host code of this project calls, for emulated devices: it takes
// libcudart's place in the link. Here memory and copies; cuda_streams.cpp has streams and events,
// cuda_device.cpp devices and errors.
#include <cuda_runtime.h>

#include <cstring>
#include <memory>
#include <vector>

#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/pinned.h"
#include "kernels/emu/race.h"
#include "kernels/emu/runtime_error.h"
#include "kernels/emu/streams.h"

namespace {

namespace emu = glia::emu;
using emu::result;
using emu::memory::Open;
using Lock = std::lock_guard<std::recursive_mutex>;

bool on_device(const void* address) {
  const emu::memory::Allocation* allocation = emu::memory::find(address);
  return allocation && !allocation->host;
}

/// Whether kernels' memory is where `kind` says it is, and large enough.
bool fits(const void* address, size_t bytes, bool device) {
  if (on_device(address) != device) return false;
  return !emu::memory::find(address) || emu::memory::holds(address, bytes);
}

struct Copy {
  std::byte* to;
  const std::byte* from;
  size_t bytes;
  bool to_device, from_device;
  bool to_pageable, from_pageable;  // of the host, not page-locked

  Copy(void* target, const void* source, size_t count, cudaMemcpyKind kind)
      : to(static_cast<std::byte*>(target)),
        from(static_cast<const std::byte*>(source)),
        bytes(count),
        to_device(on_device(to)),
        from_device(on_device(from)),
        to_pageable(!emu::memory::find(to)),
        from_pageable(!emu::memory::find(from)) {
    if (kind == cudaMemcpyDefault) return;
    to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  }
  bool valid() const { return fits(to, bytes, to_device) && fits(from, bytes, from_device); }
  void run() const {
    const Open open;
    std::memmove(to, from, bytes);
    if (to_device && from_device)
      emu::race::mark_copied(to, from, bytes);
    else if (to_device)
      emu::race::mark_written(to, bytes);
  }
};

emu::Work work_of(const Copy& copy, const emu::Doer& doer) {
  emu::Work work{doer, [copy] { copy.run(); }, {}, {}};
  if (!copy.from_pageable) work.extents.push_back({copy.from, copy.bytes, false});
  if (!copy.to_pageable) work.extents.push_back({copy.to, copy.bytes, true});
  return work;
}

/// Queues a copy. What the host may do when it returns: anything with pageable memory, which the
/// runtime has copied away or has waited for; nothing with page-locked memory.
void queue_copy(Copy copy, cudaStream_t stream, emu::Doer doer) {
  std::shared_ptr<std::vector<std::byte>> staged;
  const std::byte* source = copy.from;
  if (copy.from_pageable) {
    staged = std::make_shared<std::vector<std::byte>>(source, source + copy.bytes);
    copy.from = staged->data();
  }
  emu::Work work = work_of(copy, doer);
  work.run = [copy, staged] { copy.run(); };
  const std::vector<emu::Extent> extents = work.extents;
  doer.point = emu::queue_work(stream, std::move(work));
  if (copy.to_pageable) {
    emu::wait_for_stream(stream);
    emu::throw_kept();
  } else if (emu::options().late_streams) {
    for (const emu::Extent& extent : extents)
      if (!on_device(extent.begin)) emu::pinned::close(extent, doer);
  }
}

cudaError_t allocate(void** pointer, size_t bytes, bool host) {
  const Lock lock(emu::runtime());
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  *pointer = emu::memory::allocate(bytes, host, emu::current_device());
  return result(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}

/// Waits for the device, as CUDA does. It is called where nothing may be thrown: errors are kept.
cudaError_t release(void* pointer) {
  const Lock lock(emu::runtime());
  if (!pointer) return cudaSuccess;
  emu::wait_for_all_devices();
  return result(emu::memory::release(pointer) ? cudaSuccess : cudaErrorInvalidValue);
}

void fill(void* to, int value, size_t bytes) {
  const Open open;
  std::memset(to, value, bytes);
  emu::race::mark_written(to, bytes);
}

cudaError_t queue_fill(void* to, int value, size_t bytes, cudaStream_t stream, emu::Doer doer) {
  if (bytes == 0) return cudaSuccess;
  if (!fits(to, bytes, true)) return result(cudaErrorInvalidValue);
  const emu::Extent extent{static_cast<std::byte*>(to), bytes, true};
  emu::Work work{std::move(doer), [=] { fill(to, value, bytes); }, {extent}, {}};
  if (stream && stream->capture)
    stream->capture->nodes.push_back(std::move(work));
  else
    emu::queue_work(stream, std::move(work));
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return allocate(pointer, bytes, false);
}
cudaError_t cudaFree(void* pointer) {
  return release(pointer);
}
cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  return allocate(pointer, bytes, true);
}
cudaError_t cudaFreeHost(void* pointer) {
  return release(pointer);
}

// On the default stream. From pageable memory it returns when the bytes have been taken, which is
// before they are on the device.
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const std::uint32_t place = GLIA_CALL_PLACE;
  const Lock lock(emu::runtime());
  if (bytes == 0) return cudaSuccess;
  const Copy copy(to, from, bytes, kind);
  if (!copy.valid()) return result(cudaErrorInvalidValue);
  if (copy.from_pageable) {
    emu::wait_for_stream(nullptr);
    emu::throw_kept();
  }
  queue_copy(copy, nullptr, {"cudaMemcpy", place, {}});
  if (!copy.from_pageable && !(copy.to_device && copy.from_device)) {
    emu::wait_for_stream(nullptr);
    emu::throw_kept();
  }
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const emu::Doer doer{"cudaMemcpyAsync", GLIA_CALL_PLACE, {}};
  const Lock lock(emu::runtime());
  if (bytes == 0) return cudaSuccess;
  const Copy copy(to, from, bytes, kind);
  if (!copy.valid()) return result(cudaErrorInvalidValue);
  if (stream && stream->capture)
    stream->capture->nodes.push_back(work_of(copy, doer));
  else
    queue_copy(copy, stream, doer);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  const std::uint32_t place = GLIA_CALL_PLACE;
  const Lock lock(emu::runtime());
  return queue_fill(to, value, bytes, nullptr, {"cudaMemset", place, {}});
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  const std::uint32_t place = GLIA_CALL_PLACE;
  const Lock lock(emu::runtime());
  return queue_fill(to, value, bytes, stream, {"cudaMemsetAsync", place, {}});
}
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  const Lock lock(emu::runtime());
  *total = emu::options().memory;
  *free_bytes = *total - emu::memory::used_bytes(emu::current_device());
  return cudaSuccess;
}

}  // extern "C"
