// The part of the CUDA runtime that host code of this project calls, for emulated devices: it takes
// libcudart's place in the link. Every call finishes its work before it returns, which is one of
// the orders a GPU may choose; streams and events are accepted and checked.
#include <cuda_runtime.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/emu/emu.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/race.h"

using glia::emu::memory::Open;

// The runtime names these types and leaves them open.
struct CUgraph_st {
  std::vector<std::function<void()>> nodes;
};
struct CUgraphExec_st {
  std::vector<std::function<void()>> nodes;
};
struct CUstream_st {
  unsigned flags = 0;
  std::unique_ptr<CUgraph_st> capture{};  // what is queued goes here while it is set
};
struct CUevent_st {
  std::chrono::steady_clock::time_point recorded{};
  bool is_recorded = false;
};

namespace {

namespace emu = glia::emu;

cudaError_t g_last = cudaSuccess;

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) g_last = error;
  return error;
}

/// Whether kernels' memory is where `kind` says it is, and large enough.
bool fits(const void* address, size_t bytes, bool device) {
  const emu::memory::Allocation* allocation = emu::memory::find(address);
  const bool on_device = allocation && !allocation->host;
  if (on_device != device) return false;
  return !allocation || emu::memory::holds(address, bytes);
}

cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  const auto is_device = [](const void* p) {
    const emu::memory::Allocation* allocation = emu::memory::find(p);
    return allocation && !allocation->host;
  };
  bool to_device = is_device(to), from_device = is_device(from);
  if (kind != cudaMemcpyDefault) {
    to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  }
  if (!fits(to, bytes, to_device) || !fits(from, bytes, from_device))
    return result(cudaErrorInvalidValue);
  const Open open;
  std::memmove(to, from, bytes);
  if (to_device && from_device)
    emu::race::mark_copied(to, from, bytes);
  else if (to_device)
    emu::race::mark_written(to, bytes);
  return cudaSuccess;
}

cudaError_t allocate(void** pointer, size_t bytes, bool host) {
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  *pointer = emu::memory::allocate(bytes, host);
  return result(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t release(void* pointer) {
  if (!pointer || emu::memory::release(pointer)) return cudaSuccess;
  return result(cudaErrorInvalidValue);
}

}  // namespace

void glia::emu::submit(cudaStream_t stream, std::function<void()> work) {
  if (stream && stream->capture)
    stream->capture->nodes.push_back(std::move(work));
  else
    work();
}

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

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return copy(to, from, bytes, kind);
}
// What fails while a graph runs shows as the last error, as on a GPU.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  cudaError_t status = cudaSuccess;
  if (stream && stream->capture)
    emu::submit(stream, [=] { copy(to, from, bytes, kind); });
  else
    status = copy(to, from, bytes, kind);
  return status;
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  if (bytes == 0) return cudaSuccess;
  if (!fits(to, bytes, true)) return result(cudaErrorInvalidValue);
  const Open open;
  std::memset(to, value, bytes);
  emu::race::mark_written(to, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  cudaError_t status = cudaSuccess;
  if (stream && stream->capture)
    emu::submit(stream, [=] { cudaMemset(to, value, bytes); });
  else
    status = cudaMemset(to, value, bytes);
  return status;
}
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *total = emu::options().memory;
  *free_bytes = *total - emu::memory::used_bytes();
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  *stream = new CUstream_st{.flags = flags};
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, 0);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return result(stream && stream->capture ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (!stream || stream->capture) return result(cudaErrorIllegalState);
  stream->capture = std::make_unique<CUgraph_st>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (!stream || !stream->capture) return result(cudaErrorIllegalState);
  *graph = stream->capture.release();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  for (const auto& node : executable->nodes) emu::submit(stream, node);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned) {
  return result(event ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, 0);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  event->recorded = std::chrono::steady_clock::now();
  event->is_recorded = true;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t) {
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (!begin->is_recorded || !end->is_recorded) return result(cudaErrorInvalidResourceHandle);
  *milliseconds = std::chrono::duration<float, std::milli>(end->recorded - begin->recorded).count();
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const cudaError_t last = g_last;
  g_last = cudaSuccess;
  return last;
}
cudaError_t cudaPeekAtLastError() {
  return g_last;
}
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  return cudaGetErrorName(error);
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return result(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "CPU emulator");
  properties->totalGlobalMem = emu::options().memory;
  properties->major = 8;
  properties->minor = 0;
  properties->multiProcessorCount = 4;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->sharedMemPerBlock = 48 << 10;
  properties->sharedMemPerBlockOptin = 227 << 10;
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  *attributes = {};
  return cudaSuccess;
}
// Shared memory has no limit to raise here but a block's own, which the launch checks.
cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  return cudaRuntimeGetVersion(version);
}

}  // extern "C"
