#include "kernels/emu/streams.h"

#include <cstdio>
#include <cstdlib>
#include <deque>

#include "engine/base/check.h"
#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/pinned.h"

namespace glia::emu {
namespace {

struct Pending {
  Work work;
  StreamClock known;  // all that comes before it, and itself
  std::uint64_t issue = 0;
};

/// A stream's works; outlives its handle until they have run.
struct Queue {
  std::deque<Pending> pending;
  std::uint64_t issued = 0, done = 0;
  StreamClock known;
  int device = 0;
  bool is_default = false, blocking = false, open = false;
};

struct State {
  std::deque<Queue> queues;
  StreamClock host;
  std::uint64_t issues = 0;
  std::string error;
};

State& state() {
  static State& instance = *new State;  // memory of statics may be released after everything else
  return instance;
}

std::uint32_t new_queue() {
  auto& queues = state().queues;
  for (std::size_t i = 0; i < queues.size(); ++i)
    if (!queues[i].open && queues[i].pending.empty()) return static_cast<std::uint32_t>(i);
  queues.emplace_back();
  return static_cast<std::uint32_t>(queues.size() - 1);
}

std::uint32_t default_queue() {
  static auto& of_devices = *new std::vector<std::uint32_t>;
  const auto device = static_cast<std::size_t>(current_device());
  while (of_devices.size() <= device) {
    of_devices.push_back(new_queue());
    Queue& q = state().queues[of_devices.back()];
    q.device = static_cast<int>(of_devices.size() - 1);
    q.is_default = q.open = true;
  }
  return of_devices[device];
}

std::uint32_t index_of(cudaStream_t stream) {
  return stream ? stream->queue : default_queue();
}

/// The default stream and those that block with it run one after the other.
void add_default_waits(Queue& q, Work& work) {
  if (!q.is_default && !q.blocking) return;
  auto& queues = state().queues;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const Queue& other = queues[i];
    if (&other == &q || other.device != q.device) continue;
    if (q.is_default ? !other.blocking : !other.is_default) continue;
    work.waits.push_back({static_cast<std::uint32_t>(i), other.issued});
    join(q.known, other.known);
  }
}

/// Works that came before this one, have not run, and touch what it touches in no order.
std::string waiting_conflict(const Pending& me, const Access& access) {
  for (const Queue& q : state().queues)
    for (const Pending& other : q.pending) {
      if (other.issue > me.issue || reached(me.known, other.work.doer.point)) continue;
      for (const Extent& extent : other.work.extents)
        if (conflict(access.extent, extent))
          return conflict_text(access, {extent, other.work.doer});
    }
  return "";
}

void execute(const Pending& me) {
  const Work& work = me.work;
  std::string problems;
  pinned::release(work.doer.point);
  try {
    work.run();
  } catch (const Error& error) {
    problems = error.what();
  }
  std::vector<Extent> extents = take_touched();
  extents.insert(extents.end(), work.extents.begin(), work.extents.end());
  std::string unordered;
  for (const Extent& extent : extents) {
    const Access access{extent, work.doer};
    const std::string with_past = add_access(access, me.known);
    const std::string with_waiting = waiting_conflict(me, access);
    if (unordered.empty()) unordered = with_past.empty() ? with_waiting : with_past;
  }
  if (!unordered.empty() && problems.empty()) problems = "emu: streams";
  if (!problems.empty()) keep_error(problems + unordered);
}

}  // namespace

std::recursive_mutex& runtime() {
  static std::recursive_mutex& mutex = *new std::recursive_mutex;
  return mutex;
}

Point queue_work(cudaStream_t stream, Work work) {
  throw_kept();
  State& s = state();
  const std::uint32_t index = index_of(stream);
  Queue& q = s.queues[index];
  join(q.known, s.host);
  add_default_waits(q, work);
  const Point point{index, ++q.issued};
  if (q.known.size() <= index) q.known.resize(index + 1, 0);
  q.known[index] = point.number;
  work.doer.point = point;
  q.pending.push_back({std::move(work), q.known, ++s.issues});
  if (!options().late_streams) {
    finish(point);
    throw_kept();
  }
  return point;
}

void finish(Point point) {
  Queue& q = state().queues[point.stream];
  const pinned::Open open;
  while (q.done < point.number) {
    const Pending next = std::move(q.pending.front());
    q.pending.pop_front();
    ++q.done;
    for (const Point wait : next.work.waits) finish(wait);
    if (next.work.run) execute(next);
  }
}

void wait_for(Point point, const StreamClock& before) {
  finish(point);
  join(state().host, before);
}

void wait_for_stream(cudaStream_t stream) {
  const std::uint32_t index = index_of(stream);
  const Queue& q = state().queues[index];
  wait_for({index, q.issued}, q.known);
}

namespace {
void wait_for_queues(int device) {
  auto& queues = state().queues;
  for (std::size_t i = queues.size(); i-- > 0;)  // the youngest first
    if (device < 0 || queues[i].device == device)
      wait_for({static_cast<std::uint32_t>(i), queues[i].issued}, queues[i].known);
}
}  // namespace

void wait_for_device() {
  wait_for_queues(current_device());
}
void wait_for_all_devices() {
  wait_for_queues(-1);
}

void keep_error(const std::string& text) {
  State& s = state();
  for (Queue& q : s.queues) {
    q.pending.clear();
    q.done = q.issued;
  }
  pinned::release_all();
  static const int at_exit = std::atexit([] {
    if (state().error.empty()) return;
    std::fprintf(stderr, "%s\n  (found as the program ended: it never waited for the device)\n",
                 state().error.c_str());
    std::fflush(nullptr);
    std::_Exit(1);
  });
  static_cast<void>(at_exit);
  if (s.error.empty()) s.error = text;
}

void throw_kept() {
  if (state().error.empty()) return;
  const std::string text = std::move(state().error);
  state().error.clear();
  throw Error(text);
}

StreamClock stream_clock(cudaStream_t stream) {
  return state().queues[index_of(stream)].known;
}
void order_after(cudaStream_t stream, const StreamClock& other) {
  join(state().queues[index_of(stream)].known, other);
}
int device_of(cudaStream_t stream) {
  return state().queues[index_of(stream)].device;
}

cudaStream_t open_stream(unsigned flags) {
  const std::uint32_t index = new_queue();
  Queue& q = state().queues[index];
  q.device = current_device();
  q.blocking = (flags & cudaStreamNonBlocking) == 0;
  q.open = true;
  return new CUstream_st{.queue = index};
}

void close_stream(cudaStream_t stream) {
  if (!stream) return;
  state().queues[stream->queue].open = false;
  delete stream;
}

}  // namespace glia::emu
