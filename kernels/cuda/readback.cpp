#include "kernels/cuda/readback.h"

namespace glia::GLIA_GPU {

PinnedReadback::PinnedReadback(int gpu, cudaStream_t stream, std::size_t bytes)
    : gpu_(gpu), stream_(stream) {
  check(cudaSetDevice(gpu_), "choosing the GPU");
  check(cudaMallocHost(&data_, bytes), "allocating pinned memory");
  const cudaError_t status = cudaEventCreateWithFlags(&done_, cudaEventDisableTiming);
  if (status == cudaSuccess) return;
  cudaFreeHost(data_);
  check(status, "creating an event");
}

PinnedReadback::~PinnedReadback() {
  cudaSetDevice(gpu_);  // errors have nowhere to go here
  cudaEventSynchronize(done_);
  cudaEventDestroy(done_);
  cudaFreeHost(data_);
}

void PinnedReadback::start(std::span<const DeviceBytes> parts) {
  check(cudaSetDevice(gpu_), "choosing the GPU");
  auto* to = static_cast<std::byte*>(data_);
  for (const DeviceBytes& part : parts) {
    check(cudaMemcpyAsync(to, part.data, part.count, cudaMemcpyDeviceToHost, stream_),
          "copying from the GPU");
    to += part.count;
  }
  check(cudaEventRecord(done_, stream_), "recording an event");
}

void PinnedReadback::wait() {
  check(cudaEventSynchronize(done_), "running on the GPU");
}

}  // namespace glia::GLIA_GPU
