#include "kernels/cuda/timer.h"

namespace glia::GLIA_GPU {

EventTimer::EventTimer(int gpu, cudaStream_t stream) : gpu_(gpu), stream_(stream) {
  check(cudaSetDevice(gpu_), "choosing the GPU");
  check(cudaEventCreate(&begin_), "creating an event");
  const cudaError_t status = cudaEventCreate(&end_);
  if (status == cudaSuccess) return;
  cudaEventDestroy(begin_);
  check(status, "creating an event");
}

EventTimer::~EventTimer() {
  cudaSetDevice(gpu_);  // errors have nowhere to go here
  cudaEventDestroy(begin_);
  cudaEventDestroy(end_);
}

void EventTimer::start() {
  check(cudaSetDevice(gpu_), "choosing the GPU");
  check(cudaEventRecord(begin_, stream_), "recording an event");
}

double EventTimer::stop() {
  check(cudaSetDevice(gpu_), "choosing the GPU");
  check(cudaEventRecord(end_, stream_), "recording an event");
  check(cudaEventSynchronize(end_), "running on the GPU");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin_, end_), "reading the GPU's clock");
  return 1e-3 * static_cast<double>(milliseconds);
}

}  // namespace glia::GLIA_GPU
