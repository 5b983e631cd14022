// Host code around kernels, right and with planted bugs: copies beside kernels, clocks, devices.
#include <chrono>
#include <limits>

#include "kernels/emu/emu.h"
#include "tests/emu/device_buffer.h"
#include "tests/emu/example_runs.h"

namespace glia::emu_test {
namespace {

void must(cudaError_t status) {
  gpu::check(status, "the CUDA runtime");
}

struct Stream {
  Stream() { must(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking)); }
  ~Stream() { cudaStreamDestroy(handle); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t handle = nullptr;
};

struct Event {
  Event() { must(cudaEventCreate(&handle)); }
  ~Event() { cudaEventDestroy(handle); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(const Stream& stream) { must(cudaEventRecord(handle, stream.handle)); }
  cudaEvent_t handle = nullptr;
};

/// Page-locked memory of the host.
struct Pinned {
  explicit Pinned(std::size_t count) {
    must(cudaMallocHost(reinterpret_cast<void**>(&data), count * sizeof(float)));
  }
  ~Pinned() { cudaFreeHost(data); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  float* data = nullptr;
};

constexpr int kCount = 3000, kBatches = 3;
constexpr std::size_t kBytes = kCount * sizeof(float);

float input(int batch, int i) {
  return static_cast<float>(batch * kCount + i);
}

}  // namespace

double run_pipeline(Bug bug) {
  const Pinned in(kCount), out(kCount * kBatches);
  const DeviceBuffer<float> x(kCount), y(kCount);
  const Stream copies, kernels;
  Event copied, computed;
  for (int b = 0; b < kBatches; ++b) {
    if (b > 0 && bug != Bug::buffer_reused_early) must(cudaEventSynchronize(copied.handle));
    for (int i = 0; i < kCount; ++i) in.data[i] = input(b, i);
    if (bug != Bug::copy_overtakes_kernel)
      must(cudaStreamWaitEvent(copies.handle, computed.handle, 0));
    must(cudaMemcpyAsync(x.get(), in.data, kBytes, cudaMemcpyHostToDevice, copies.handle));
    copied.record(copies);
    if (bug != Bug::no_event_wait) must(cudaStreamWaitEvent(kernels.handle, copied.handle, 0));
    scale(x.get(), y.get(), kCount, kernels.handle, bug);
    computed.record(kernels);
    must(cudaMemcpyAsync(out.data + b * kCount, y.get(), kBytes, cudaMemcpyDeviceToHost,
                         kernels.handle));
  }
  if (bug != Bug::host_reads_early) must(cudaStreamSynchronize(kernels.handle));
  int wrong = 0;
  for (int b = 0; b < kBatches; ++b)
    for (int i = 0; i < kCount; ++i) wrong += out.data[b * kCount + i] != 2 * input(b, i) + 1;
  must(cudaDeviceSynchronize());
  return wrong ? std::numeric_limits<double>::infinity() : 0;
}

double run_clock(Bug bug) {
  using Clock = std::chrono::steady_clock;
  const DeviceBuffer<float> x(std::vector<float>(kCount, 1)), y(kCount);
  const Stream stream;
  must(cudaDeviceSynchronize());
  Event begin, end;
  const Clock::time_point start = Clock::now();
  begin.record(stream);
  for (int i = 0; i < 10; ++i) scale(x.get(), y.get(), kCount, stream.handle, bug);
  end.record(stream);
  Clock::time_point stop = Clock::now();
  must(cudaStreamSynchronize(stream.handle));
  if (bug != Bug::clock_before_finish) stop = Clock::now();
  float milliseconds = 0;
  must(cudaEventElapsedTime(&milliseconds, begin.handle, end.handle));
  // The host cannot have waited for less time than passed on the device.
  return std::chrono::duration<float, std::milli>(stop - start).count() < milliseconds ? 2 : 0;
}

double run_two_devices(Bug bug) {
  struct TwoDevices {
    TwoDevices() { emu::options().devices = 2; }
    ~TwoDevices() {
      cudaSetDevice(1);
      cudaDeviceDisablePeerAccess(0);
      cudaSetDevice(0);
      cudaGetLastError();
      emu::options().devices = 1;
    }
  } const two;
  must(cudaSetDevice(0));
  const DeviceBuffer<float> x(std::vector<float>(kCount, 1)), y(kCount);
  const Stream first;
  must(cudaDeviceSynchronize());
  // Somebody looks at the other device, and should put back what was current.
  must(cudaSetDevice(1));
  if (bug != Bug::wrong_current_device) must(cudaSetDevice(0));
  scale(x.get(), y.get(), kCount, first.handle, bug);
  must(cudaStreamSynchronize(first.handle));
  // The other device goes on with the first one's result.
  must(cudaSetDevice(1));
  const Stream second;
  const DeviceBuffer<float> z(kCount);
  if (bug != Bug::memory_of_other_device) must(cudaDeviceEnablePeerAccess(0, 0));
  scale(y.get(), z.get(), kCount, second.handle, bug);
  must(cudaStreamSynchronize(second.handle));
  int wrong = 0;
  for (const float value : z.read()) wrong += value != 7;
  return wrong;
}

}  // namespace glia::emu_test
