// Results on their way to the host, beside what the GPU does next.
#pragma once

#include "kernels/api/memory.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// In page-locked memory, behind an event.
class PinnedReadback : public Readback {
 public:
  /// The stream, of GPU `gpu`, must outlive it.
  PinnedReadback(int gpu, cudaStream_t stream, std::size_t bytes);
  ~PinnedReadback() override;
  PinnedReadback(const PinnedReadback&) = delete;
  PinnedReadback& operator=(const PinnedReadback&) = delete;

  void start(std::span<const DeviceBytes> parts) override;
  void wait() override;
  const std::byte* data() const override { return static_cast<const std::byte*>(data_); }

 private:
  int gpu_;
  cudaStream_t stream_;
  void* data_ = nullptr;
  cudaEvent_t done_ = nullptr;
};

}  // namespace glia::GLIA_GPU
