// Single elements of a kernel's results in float64, straight from the formulas in kernels/api. One
// element of the largest convolution costs milliseconds, so that a benchmark can check results of
// full size; that every element is right is the business of tests/ops.
//
// `a` has its operands in the host's memory as they were before the kernel ran, and `output` is the
// `data` of one of its results.
#pragma once

#include "benchmarks/suite/call.h"
#include "kernels/api/table.h"

namespace glia::bench {

#define GLIA_KERNEL(name, Args, op, phase) \
  double reference(const Args& a, const void* output, Element e);
#include "kernels/api/list.h"

// What the formulas share.

/// The pixel (n, h, w) of an image as a row, and back.
inline std::int64_t row_of(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t H,
                           std::int64_t W) {
  return (n * H + h) * W + w;
}
struct Pixel {
  std::int64_t n, h, w;
};
inline Pixel pixel_of(std::int64_t row, std::int64_t H, std::int64_t W) {
  return {row / (H * W), row / W % H, row % W};
}
double sum_of_channel(const ConstView& v, std::int64_t channel);
double sigmoid(double z);

/// Any element of a view in the host's memory, whatever its type.
double element(const ConstView& view, Element e);
/// The same, read through a map; an empty one: as it is.
double element(const ConstView& view, const ConstView& map, Element e);

}  // namespace glia::bench
