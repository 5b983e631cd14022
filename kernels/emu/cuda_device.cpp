// Devices, errors and functions' attributes of the emulated CUDA runtime.
#include <cuda_runtime.h>

#include <cstring>

#include "kernels/emu/block.h"
#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/launch_bounds.h"
#include "kernels/emu/runtime_error.h"
#include "kernels/emu/streams.h"

namespace {

namespace emu = glia::emu;
using emu::result;
using Lock = std::lock_guard<std::recursive_mutex>;

cudaError_t g_last = cudaSuccess;

bool is_device(int device) {
  return device >= 0 && device < emu::device_count();
}

}  // namespace

cudaError_t glia::emu::result(cudaError_t error) {
  if (error != cudaSuccess) g_last = error;
  return error;
}

extern "C" {

cudaError_t cudaDeviceSynchronize() {
  const Lock lock(emu::runtime());
  emu::wait_for_device();
  emu::throw_kept();
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
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalState: return "cudaErrorIllegalState";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorPeerAccessAlreadyEnabled: return "cudaErrorPeerAccessAlreadyEnabled";
    case cudaErrorPeerAccessNotEnabled: return "cudaErrorPeerAccessNotEnabled";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  return cudaGetErrorName(error);
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = emu::device_count();
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = emu::current_device();
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return result(emu::choose_device(device) ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (!is_device(device)) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "CPU emulator");
  properties->totalGlobalMem = emu::options().memory;
  properties->major = emu::options().architecture / 10;
  properties->minor = emu::options().architecture % 10;
  properties->multiProcessorCount = 4;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->sharedMemPerBlock = 48 << 10;
  properties->sharedMemPerBlockOptin = emu::shared_limit();
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  if (!is_device(device) || !is_device(peer)) return result(cudaErrorInvalidDevice);
  *can = device != peer;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  const Lock lock(emu::runtime());
  const int device = emu::current_device();
  if (!is_device(peer) || peer == device) return result(cudaErrorInvalidDevice);
  if (emu::reaches(device, peer)) return result(cudaErrorPeerAccessAlreadyEnabled);
  emu::set_peer_access(device, peer, true);
  return cudaSuccess;
}
cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  const Lock lock(emu::runtime());
  const int device = emu::current_device();
  if (!is_device(peer) || peer == device) return result(cudaErrorInvalidDevice);
  if (!emu::reaches(device, peer)) return result(cudaErrorPeerAccessNotEnabled);
  emu::set_peer_access(device, peer, false);
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  const Lock lock(emu::runtime());
  *attributes = {};
  attributes->maxThreadsPerBlock = emu::launch_bound(kernel);
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(emu::shared_limit_of(kernel));
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const Lock lock(emu::runtime());
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  const bool done = value >= 0 && emu::raise_shared_limit(kernel, static_cast<size_t>(value));
  return result(done ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  return cudaRuntimeGetVersion(version);
}

}  // extern "C"
