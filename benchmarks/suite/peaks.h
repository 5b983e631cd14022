// What the machine can do at best, and what follows from it: no kernel is faster than its
// arithmetic at the peak rate or its bytes at the memory's rate, whichever takes longer (the
// roofline of Williams, Waterman & Patterson, 2009).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/api/peak_work.h"

namespace glia::bench {

/// A rate that a device reached, and how. Of bytes each one that is read or written counts; of
/// operations a multiply-add counts 2.
struct Ceiling {
  std::string device;        // "cpu", "emu", "cuda:0"
  std::string what;          // "copy", or the name of an `Arithmetic`
  std::string by;            // "memcpy", "FFMA in registers"
  double best = 0;           // a second, of several samples; 0 when there was a problem
  double median = 0;         // of the same samples
  std::string problem = {};  // why there is none; empty when there is
};

/// "copy" of a ceiling.
inline constexpr const char* kCopy = "copy";

/// A line a ceiling.
std::string ceilings_text(const std::vector<Ceiling>& ceilings);
/// An object a ceiling.
nlohmann::ordered_json ceilings_json(const std::vector<Ceiling>& ceilings);

/// A device's limits a second; 0 where one is not known.
struct Peaks {
  double flops = 0;  // operations in fp32, a multiply-add counting 2
  double bytes = 0;  // read and written, by a large copy
  double tf32 = 0, bf16 = 0;

  double rate(Arithmetic arithmetic) const;
  bool known() const { return flops > 0 && bytes > 0; }
};

/// Fields as of docs/benchmarks.md.
nlohmann::ordered_json peaks_json(const Peaks& peaks);

/// The highest of a device's ceilings of each kind, whoever reached it.
Peaks peaks_of(const std::vector<Ceiling>& ceilings, const std::string& device);

/// The least time that the machine needs, and for what.
struct Roof {
  double seconds = 0;             // 0 when the peaks are not known
  bool bound_by_compute = false;  // else by memory
};
Roof roof(const Peaks& peaks, double flops, double bytes, Arithmetic arithmetic = Arithmetic::fp32);

}  // namespace glia::bench
