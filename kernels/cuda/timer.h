// Time between two places of a stream, by the GPU's own clock.
#pragma once

#include "kernels/api/memory.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// By two events. Neither the way of a launch to the GPU nor the host's waiting is in it, as long
/// as the host queues faster than the GPU computes.
class EventTimer : public Timer {
 public:
  /// The stream, of GPU `gpu`, must outlive it.
  EventTimer(int gpu, cudaStream_t stream);
  ~EventTimer() override;
  EventTimer(const EventTimer&) = delete;
  EventTimer& operator=(const EventTimer&) = delete;

  void start() override;
  double stop() override;

 private:
  int gpu_;
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

}  // namespace glia::GLIA_GPU
