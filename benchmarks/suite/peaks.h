// What the machine can do at best, and what follows from it: no kernel is faster than its
// arithmetic at the peak rate or its bytes at the memory's rate, whichever takes longer (the
// roofline of Williams, Waterman & Patterson, 2009).
#pragma once

#include "engine/runtime/device.h"

namespace glia::bench {

/// A second; 0 where it is not known.
struct Peaks {
  double flops = 0;  // float32 operations, a multiply-add counting 2
  double bytes = 0;  // read and written, by a large copy

  bool known() const { return flops > 0 && bytes > 0; }
};

/// The bandwidth by a copy of `copy_bytes` from one buffer to another, best of several; on a CPU
/// also the peak rate by multiply-adds in registers on every thread. A GPU's peak rate is not
/// measured.
Peaks measure_peaks(Device& device, std::size_t copy_bytes);

/// The least time that the machine needs, and for what.
struct Roof {
  double seconds = 0;             // 0 when the peaks are not known
  bool bound_by_compute = false;  // else by memory
};
Roof roof(const Peaks& peaks, double flops, double bytes);

/// Multiply-adds of float32 vectors in registers, a second, on `threads` threads.
double measure_cpu_flops(int threads);

/// Bytes a second of a copy by `threads` threads; both directions count.
double measure_cpu_bandwidth(int threads, std::size_t copy_bytes);

}  // namespace glia::bench
