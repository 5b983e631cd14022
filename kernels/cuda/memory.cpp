#include "kernels/cuda/memory.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "kernels/cuda/readback.h"
#include "kernels/cuda/survey.h"
#include "kernels/cuda/timer.h"

namespace glia::GLIA_GPU {

namespace {

constexpr std::size_t kStagingBytes = std::size_t{1} << 20;
constexpr const char* kChoosing = "choosing the GPU";

class CapturedGraph : public Graph {
 public:
  CapturedGraph(cudaGraph_t graph, cudaStream_t stream, int gpu) : stream_(stream), gpu_(gpu) {
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "making a CUDA graph of the step");
  }
  ~CapturedGraph() override {
    cudaSetDevice(gpu_);  // errors have nowhere to go here
    cudaGraphExecDestroy(executable_);
  }
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;
  void replay() override {
    check(cudaSetDevice(gpu_), kChoosing);
    check(cudaGraphLaunch(executable_, stream_), "replaying a CUDA graph");
  }

 private:
  cudaStream_t stream_;
  int gpu_;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace

Memory::Memory(int index) : index_(index) {
  const GpuInfo gpu = usable_gpu(index);
  make_current();
  multiprocessors_ = gpu.multiprocessors;
  block_memory_ = gpu.block_memory;
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
  check(cudaStreamCreateWithFlags(&copy_stream_, cudaStreamNonBlocking), "creating a stream");
  check(cudaEventCreateWithFlags(&copied_, cudaEventDisableTiming), "creating an event");
  for (Staging& staging : staging_) {
    check(cudaMallocHost(&staging.data, kStagingBytes), "allocating pinned memory");
    check(cudaEventCreateWithFlags(&staging.free, cudaEventDisableTiming), "creating an event");
    check(cudaEventRecord(staging.free, stream_), "recording an event");
  }
}

Memory::~Memory() {
  // Errors have nowhere to go here, and the process ends or opens the GPU anew.
  cudaSetDevice(index_);
  for (const Staging& staging : staging_) {
    cudaEventDestroy(staging.free);
    cudaFreeHost(staging.data);
  }
  cudaEventDestroy(copied_);
  cudaStreamDestroy(copy_stream_);
  cudaStreamDestroy(stream_);
}

void Memory::make_current() {
  check(cudaSetDevice(index_), kChoosing);
}

void* Memory::allocate(std::size_t bytes) {
  make_current();
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, bytes);
  if (status != cudaErrorMemoryAllocation) {
    check(status, "cudaMalloc");
    return data;
  }
  cudaGetLastError();  // the refusal is reported here and must not show up at the next launch
  const auto mib = [](std::size_t n) { return static_cast<double>(n) / (1 << 20); };
  throw OutOfMemory(
      fmt::format("out of memory: the GPU refused {:.1f} MiB, {:.1f} MiB of its memory are free",
                  mib(bytes), mib(*available())));
}

std::optional<std::size_t> Memory::available() const {
  std::size_t free_bytes = 0, total = 0;
  check(cudaSetDevice(index_), kChoosing);
  check(cudaMemGetInfo(&free_bytes, &total), "cudaMemGetInfo");
  return free_bytes;
}

void Memory::release(void* data, std::size_t) {
  cudaSetDevice(index_);  // what releases memory has no use for errors
  cudaFree(data);
}

void Memory::copy_in(void* to, const void* from_host, std::size_t bytes) {
  copy_in_on(stream_, to, from_host, bytes);
}

void Memory::copy_in_beside(void* to, const void* from_host, std::size_t bytes) {
  copy_in_on(copy_stream_, to, from_host, bytes);
  check(cudaEventRecord(copied_, copy_stream_), "recording an event");
  check(cudaStreamWaitEvent(stream_, copied_, 0), "waiting for a copy to the GPU");
}

void Memory::copy_in_on(cudaStream_t stream, void* to, const void* from_host, std::size_t bytes) {
  require(!capturing_, "capture", "the work that is recorded copies from the host");
  make_current();
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from_host);
  while (bytes > 0) {
    const std::size_t part = std::min(bytes, kStagingBytes);
    const Staging& staging = staging_[next_];
    next_ = (next_ + 1) % staging_.size();
    check(cudaEventSynchronize(staging.free), "waiting for a copy to the GPU");
    std::memcpy(staging.data, source, part);
    check(cudaMemcpyAsync(target, staging.data, part, cudaMemcpyHostToDevice, stream),
          "copying to the GPU");
    check(cudaEventRecord(staging.free, stream), "recording an event");
    target += part;
    source += part;
    bytes -= part;
  }
}

void Memory::copy_out(void* to_host, const void* from, std::size_t bytes) {
  require(!capturing_, "capture", "the work that is recorded reads a result on the host");
  make_current();
  check(cudaMemcpyAsync(to_host, from, bytes, cudaMemcpyDeviceToHost, stream_),
        "copying from the GPU");
  synchronize();
}

void Memory::fill(void* to, unsigned char value, std::size_t bytes) {
  make_current();
  log_fill();
  check(cudaMemsetAsync(to, value, bytes, stream_), "filling the GPU's memory");
}

void Memory::synchronize() {
  make_current();
  check(cudaStreamSynchronize(stream_), "running on the GPU");
}

std::unique_ptr<Graph> Memory::capture(const std::function<void()>& work) {
  make_current();
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "starting a capture");
  cudaGraph_t graph = nullptr;
  capturing_ = true;
  try {
    work();
    capturing_ = false;
  } catch (...) {
    capturing_ = false;
    cudaStreamEndCapture(stream_, &graph);  // leaves the stream usable; the first error is told
    if (graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream_, &graph), "ending a capture");
  return std::make_unique<CapturedGraph>(graph, stream_, index_);
}

std::string Memory::pci_address() const {
#if defined(GLIA_EMULATED)
  return {};
#else
  char address[32] = {};
  check(cudaDeviceGetPCIBusId(address, sizeof address, index_), "where the GPU is plugged in");
  return address;
#endif
}

std::unique_ptr<Timer> Memory::make_timer() {
  return std::make_unique<EventTimer>(index_, stream_);
}

std::unique_ptr<Readback> Memory::make_readback(std::size_t bytes) {
  return std::make_unique<PinnedReadback>(index_, stream_, bytes);
}

void Memory::log_launches(std::vector<const char*>* names) {
  gpu::log_launches(names);
}

void Memory::describe(KernelContext& context) const {
  context.stream = stream_;
  context.multiprocessors = multiprocessors_;
  context.block_memory = block_memory_;
}

}  // namespace glia::GLIA_GPU
