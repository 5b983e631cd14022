// Streams: what is queued runs when somebody waits for it, and not before. Of everything that a GPU
// may do this is the latest, so that a wait that is missing shows.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/emu/order.h"

namespace glia::emu {

/// One thing on a stream. Without `run` it only waits.
struct Work {
  Doer doer;
  std::function<void()> run;
  std::vector<Extent> extents;  // of memory, as far as they are known before it runs
  std::vector<Point> waits;     // on other streams
};

/// One caller at a time is in the runtime; kernels and copies run inside it.
std::recursive_mutex& runtime();

/// Queues work. Throws `Error` when something that ran before has failed.
Point queue_work(cudaStream_t stream, Work work);
/// Runs a stream up to a point, and what that waits for. The host does not learn of it, and errors
/// are kept.
void finish(Point point);

/// The host waits: for all that a stream, the current device or every device has been given. Errors
/// of what ran are kept for `throw_kept`.
void wait_for_stream(cudaStream_t stream);
void wait_for_device();
void wait_for_all_devices();
/// The host waits for what came before an event.
void wait_for(Point point, const StreamClock& before);

/// Keeps an error for the next call that may throw; the first is told. What is queued is dropped,
/// as after a fault on a GPU. A program that ends without having been told prints it and exits 1.
void keep_error(const std::string& text);
void throw_kept();

/// All that comes before what `stream` is given next; from now on also all of `other`.
StreamClock stream_clock(cudaStream_t stream);
void order_after(cudaStream_t stream, const StreamClock& other);
int device_of(cudaStream_t stream);
cudaStream_t open_stream(unsigned flags);
void close_stream(cudaStream_t stream);

}  // namespace glia::emu

// The runtime names these types and leaves them open.
struct CUgraph_st {
  std::vector<glia::emu::Work> nodes;
};
struct CUgraphExec_st {
  std::vector<glia::emu::Work> nodes;
};
struct CUstream_st {
  std::uint32_t queue = 0;
  std::unique_ptr<CUgraph_st> capture{};  // what is queued goes here while it is set
};
