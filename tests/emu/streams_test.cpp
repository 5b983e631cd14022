// What the emulator says of mistakes around kernels: streams, events, devices, launches.
#include <string>

#include "kernels/emu/emu.h"
#include "kernels/emu/launch_bounds.h"
#include "tests/catch.h"
#include "tests/emu/device_buffer.h"
#include "tests/emu/example_runs.h"
#include "tests/emu/expect.h"

namespace glia::emu_test {
namespace {

std::string error_of(double (*run)(Bug), Bug bug) {
  emu::options() = {};
  return emu_test::error_of([&] { run(bug); });
}

const std::string kHost = "tests/emu/stream_runs.cpp:[0-9]+",
                  kKernel = "tests/emu/kernels/scale.cu:[0-9]+";

}  // namespace

TEST_CASE("streams: a report names both places", "[emu]") {
  contains(error_of(run_pipeline, Bug::host_reads_early),
           "the host touches page-locked memory at " + kHost +
               ", which cudaMemcpyAsync, queued at " + kHost + ", has not written yet");
  contains(error_of(run_pipeline, Bug::buffer_reused_early),
           "the host touches page-locked memory at " + kHost +
               ", which cudaMemcpyAsync, queued at " + kHost + ", has not read yet");
  if (!emu::race_checker()) {
    WARN("the rest is skipped: this build does not see what kernels touch");
    return;
  }
  contains(error_of(run_pipeline, Bug::no_event_wait),
           "no order: kernel scale, queued at " + kKernel +
               ", reads memory that cudaMemcpyAsync, queued at " + kHost + ", writes");
  contains(error_of(run_pipeline, Bug::copy_overtakes_kernel),
           "no order: .*cudaMemcpyAsync, queued at " + kHost + ", writes");
}

TEST_CASE("streams: two copies without order are told in every build", "[emu]") {
  emu::options() = {};
  const DeviceBuffer<float> x(100);
  cudaStream_t first = nullptr, second = nullptr;
  cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking);
  cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking);
  cudaMemsetAsync(x.get(), 1, 400, first);
  cudaMemsetAsync(x.get() + 50, 2, 200, second);
  CHECK_THROWS_WITH(cudaStreamSynchronize(second), ContainsSubstring("no order: cudaMemsetAsync"));
  // Side by side they may be.
  cudaMemsetAsync(x.get(), 1, 200, first);
  cudaMemsetAsync(x.get() + 50, 2, 200, second);
  CHECK_NOTHROW(cudaDeviceSynchronize());
  cudaStreamDestroy(first);
  cudaStreamDestroy(second);
}

TEST_CASE("streams: nothing runs before it is waited for", "[emu]") {
  emu::options() = {};
  const DeviceBuffer<float> x(std::vector<float>(100, 1)), y(100);
  cudaDeviceSynchronize();
  cudaEvent_t begin = nullptr, end = nullptr;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  cudaEventRecord(begin, nullptr);
  scale(x.get(), y.get(), 100, nullptr, Bug::none);
  cudaEventRecord(end, nullptr);
  float milliseconds = 0;
  CHECK(cudaEventElapsedTime(&milliseconds, begin, end) == cudaErrorNotReady);
  CHECK(cudaEventQuery(end) == cudaErrorNotReady);
  CHECK(cudaEventQuery(end) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&milliseconds, begin, end) == cudaSuccess);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  cudaGetLastError();
  // With streams that run at once it is there already.
  emu::options().late_streams = false;
  cudaEventCreate(&end);
  cudaEventRecord(end, nullptr);
  CHECK(cudaEventQuery(end) == cudaSuccess);
  cudaEventDestroy(end);
  emu::options() = {};
}

TEST_CASE("streams: an error of a kernel is told at the wait, and once", "[emu]") {
  emu::options() = {};
  {
    const DeviceBuffer<float> y(100);
    CHECK_NOTHROW(run_batch_stats(Bug::none));
    CHECK_THROWS_AS(run_batch_stats(Bug::early_return), Error);
  }
  CHECK_NOTHROW(cudaDeviceSynchronize());
}

TEST_CASE("devices: streams and memory belong to one", "[emu]") {
  contains(error_of(run_two_devices, Bug::wrong_current_device),
           "scale: its stream belongs to device 0, and device 1 is current");
  contains(error_of(run_two_devices, Bug::memory_of_other_device),
           "scale on device 1: argument 1 is memory of device 0");
  emu::options() = {};
  CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
  int count = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count == 1);
  cudaGetLastError();
}

TEST_CASE("launches: what the kernel was compiled for is the limit", "[emu]") {
  if (emu::has_launch_bounds())
    contains(error_of(run_pipeline, Bug::block_beyond_bounds),
             "scale: a block of \\(256,1,1\\) threads, .* compiled for at most 128");
  else
    WARN("skipped: this compiler does not tell launch bounds");
  emu::options() = {};
  static const int kernel = 0;  // stands for a kernel; its address is all that counts
  const emu::Launch launch{.grid = 1, .block = 32, .smem_bytes = 64 << 10, .kernel = &kernel};
  const auto queue = [&] { emu::queue_kernel(nullptr, launch, {}, [] {}); };
  CHECK_THROWS_WITH(queue(), ContainsSubstring("the kernel has at most 49152 until"));
  CHECK(cudaFuncSetAttribute(&kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10) ==
        cudaSuccess);
  CHECK_NOTHROW(queue());
  CHECK(cudaFuncSetAttribute(&kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 << 10) ==
        cudaErrorInvalidValue);
  emu::options().architecture = 80;
  CHECK(cudaFuncSetAttribute(&kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 164 << 10) ==
        cudaErrorInvalidValue);
  cudaGetLastError();
  emu::options() = {};
}

}  // namespace glia::emu_test
