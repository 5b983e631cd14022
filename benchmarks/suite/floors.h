// How fast a whole training step could be: a model of its bytes and operations, a kernel at a time,
// for four degrees of fusion. A kernel costs its operations at the peak rate or its bytes at the
// memory's rate, whichever takes longer; kernels do not overlap, each tensor is read and written
// once a kernel, and nothing stays in a cache from one kernel to the next.
//
//   S0  a pass an operation: convolution, bias, statistics, normalisation, ReLU, pooling, copies
//       for the concatenation, the sum of two gradients, zeroing of gradients
//   S1  normalisation + ReLU + pooling in one pass; the same backwards in a reducing and an
//   applying
//       pass; the concatenation copies nothing; the head, the sigmoid and the loss in one kernel
//   S2  and the convolutions sum up the statistics, forward and backward, as they write
//   S3  and normalise as they read: no activation is ever stored
//
// docs/benchmarks.md explains how to read them.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/suite/peaks.h"
#include "benchmarks/suite/record.h"

namespace glia::bench {

struct Floor {
  std::string name, what;  // "S1", "element-wise passes fused"
  double flops = 0, bytes = 0;
  int kernels = 0;
  double seconds = 0;          // 0 when the peaks are not known
  double compute_seconds = 0;  // of it, in kernels bound by arithmetic
};

/// The four, from the layers of a recorded step. Empty for a U-Net without normalisation or with
/// upsampling, whose fusions would be others.
std::vector<Floor> step_floors(const RecordedStep& step, const Peaks& peaks);

}  // namespace glia::bench
