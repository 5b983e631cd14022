// Measuring what a device does at best.
#pragma once

#include "benchmarks/suite/peaks.h"
#include "engine/runtime/device.h"

namespace glia::bench {

struct CeilingOptions {
  std::size_t copy_bytes = 0;          // of the block that is copied: more than all caches
  int samples = 12;                    // of each
  double sample_seconds = 5e-3;        // of arithmetic on a GPU, at least
  std::int64_t product_extent = 8192;  // rows of the matrices that the vendor's library multiplies
};

/// Those for a device: copies of 1 GiB on a GPU, of `flush_bytes` on a CPU, and tiny ones of
/// everything on the emulator, whose rates mean nothing; `copy_bytes` in place of any, unless 0.
CeilingOptions ceiling_options(Device& device, std::size_t flush_bytes, std::size_t copy_bytes);

/// Measures what `ceilings` lacks of a device's and adds it to them: the copy by our kernel and by
/// the driver, fp32, tf32 and bf16 by our kernel and by the vendor's library where the backend has
/// one; on a CPU the copy and fp32. Results of arithmetic are looked at: one that is not what it
/// must be is a problem of its ceiling, as is a lack of memory.
void measure_ceilings(Device& device, const CeilingOptions& options,
                      std::vector<Ceiling>& ceilings);
/// The same for a GPU by other work than its backend's.
void measure_ceilings(Device& device, const CeilingOptions& options, const PeakWork& work,
                      std::vector<Ceiling>& ceilings);

/// Rates of float32 multiply-adds in registers on so many threads, a sample each.
std::vector<double> cpu_flops(int threads);
/// Rates of copies by so many threads; both directions count.
std::vector<double> cpu_bandwidth(int threads, std::size_t copy_bytes);

}  // namespace glia::bench
