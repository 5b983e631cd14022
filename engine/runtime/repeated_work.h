// Work that a device does again and again on the same memory: recorded as a graph where it can be,
// which gives the same bits as running its kernels one by one.
#pragma once

#include <functional>
#include <memory>

#include "engine/runtime/device.h"

namespace glia {

class RepeatedWork {
 public:
  /// Whether the work is captured where the device can, or always run kernel by kernel.
  enum class Mode { automatic, eager };

  /// `work` queues kernels, on the same addresses each time, and neither copies from or to the host
  /// nor waits. The device must outlive this.
  RepeatedWork(Device& device, std::function<void()> work, Mode mode = Mode::automatic);

  /// Queues the work: twice kernel by kernel, then as a graph as soon as all memory that it needs
  /// is kept. Work on a watched device is never captured.
  void run();
  /// Whether `run` captures sooner or later.
  bool may_capture() const;
  bool captured() const { return graph_ != nullptr; }
  /// Hands back the memory that the recorded work keeps aside, and begins anew: for other addresses
  /// or sizes. Call it when none of it runs.
  void forget();

 private:
  /// Whether there is a graph, or can be one now.
  bool record();

  Device& device_;
  std::function<void()> work_;
  Mode mode_;
  std::unique_ptr<Graph> graph_;
  int runs_ = 0;  // kernel by kernel
};

}  // namespace glia
