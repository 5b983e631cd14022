// Streams, events and graphs of the emulated CUDA runtime.
#include <cuda_runtime.h>

#include <chrono>
#include <memory>

#include "kernels/emu/devices.h"
#include "kernels/emu/runtime_error.h"
#include "kernels/emu/streams.h"

namespace {

namespace emu = glia::emu;
using emu::result;
using Lock = std::lock_guard<std::recursive_mutex>;
using Clock = std::chrono::steady_clock;

struct Recorded {
  emu::Point point;
  emu::StreamClock before;
  bool happened = false;
  Clock::time_point when{};
};

bool capturing(cudaStream_t stream) {
  return stream && stream->capture;
}

}  // namespace

// The runtime names this type and leaves it open.
struct CUevent_st {
  int device = 0;
  std::shared_ptr<Recorded> last{};  // null: never recorded
};

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Lock lock(emu::runtime());
  *stream = emu::open_stream(flags);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, 0);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(emu::runtime());
  emu::close_stream(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(emu::runtime());
  if (capturing(stream)) return result(cudaErrorStreamCaptureUnsupported);
  emu::wait_for_stream(stream);
  emu::throw_kept();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock lock(emu::runtime());
  if (!event) return result(cudaErrorInvalidResourceHandle);
  if (capturing(stream)) return result(cudaErrorStreamCaptureUnsupported);
  if (!event->last) return cudaSuccess;  // as in CUDA: nothing was recorded to wait for
  emu::queue_work(stream, {{"cudaStreamWaitEvent", 0, {}}, {}, {}, {event->last->point}});
  emu::order_after(stream, event->last->before);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Lock lock(emu::runtime());
  if (!stream || stream->capture) return result(cudaErrorIllegalState);
  stream->capture = std::make_unique<CUgraph_st>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(emu::runtime());
  *graph = nullptr;
  if (!capturing(stream)) return result(cudaErrorIllegalState);
  *graph = stream->capture.release();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const Lock lock(emu::runtime());
  for (const emu::Work& node : executable->nodes) emu::queue_work(stream, node);
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

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st{.device = emu::current_device()};
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, 0);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::uint32_t place = GLIA_CALL_PLACE;
  const Lock lock(emu::runtime());
  if (capturing(stream)) return result(cudaErrorStreamCaptureUnsupported);
  if (!event || event->device != emu::device_of(stream))
    return result(cudaErrorInvalidResourceHandle);
  const auto recorded = std::make_shared<Recorded>();
  event->last = recorded;
  recorded->point = emu::queue_work(stream, {{"cudaEventRecord", place, {}},
                                             [recorded] {
                                               recorded->happened = true;
                                               recorded->when = Clock::now();
                                             },
                                             {},
                                             {}});
  recorded->before = emu::stream_clock(stream);
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(emu::runtime());
  if (!event) return result(cudaErrorInvalidResourceHandle);
  if (!event->last) return cudaSuccess;
  emu::wait_for(event->last->point, event->last->before);
  emu::throw_kept();
  return cudaSuccess;
}
// The first question after a record is always too early; by the next one it has happened.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock lock(emu::runtime());
  if (!event) return result(cudaErrorInvalidResourceHandle);
  if (!event->last) return cudaSuccess;
  if (!event->last->happened) {
    emu::finish(event->last->point);
    emu::throw_kept();
    return cudaErrorNotReady;
  }
  emu::wait_for(event->last->point, event->last->before);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const Lock lock(emu::runtime());
  if (!begin->last || !end->last || begin->device != end->device)
    return result(cudaErrorInvalidResourceHandle);
  if (!begin->last->happened || !end->last->happened) return result(cudaErrorNotReady);
  *milliseconds =
      std::chrono::duration<float, std::milli>(end->last->when - begin->last->when).count();
  return cudaSuccess;
}

}  // extern "C"
