#include "engine/runtime/repeated_work.h"

#include <utility>

namespace glia {

namespace {

// The first run grows workspaces and the allocator's store.
constexpr int kWarmUps = 2;

}  // namespace

RepeatedWork::RepeatedWork(Device& device, std::function<void()> work, Mode mode)
    : device_(device), work_(std::move(work)), mode_(mode) {}

bool RepeatedWork::may_capture() const {
  return mode_ == Mode::automatic && device_.can_capture() && !device_.watched();
}

bool RepeatedWork::record() {
  if (graph_) return true;
  if (runs_ < kWarmUps) return false;
  try {
    graph_ = device_.capture(work_);
  } catch (const CaptureNeedsMemory&) {
    return false;  // others hold what the last run used; the next one asks for it
  }
  return true;
}

void RepeatedWork::run() {
  if (may_capture() && record()) return graph_->replay();
  work_();
  ++runs_;
}

void RepeatedWork::forget() {
  graph_.reset();
  runs_ = 0;
}

}  // namespace glia
