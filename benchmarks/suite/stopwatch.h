// Time that a device spends on what was queued.
#pragma once

#include <memory>

#include "engine/runtime/device.h"

namespace glia::bench {

class Stopwatch {
 public:
  virtual ~Stopwatch() = default;
  /// From here on, when everything that was queued before has finished.
  virtual void start() = 0;
  /// Seconds until everything that was queued since has finished.
  virtual double stop() = 0;
};

/// The right one for the device. It must not outlive it.
std::unique_ptr<Stopwatch> make_stopwatch(Device& device);

}  // namespace glia::bench
