// Numbers that are counted in three digits, and places that go with them, so that walking along
// them takes no division and hardly a multiplication.
#pragma once

#include "kernels/cuda/gpu.h"

#define GLIA_INLINE __device__ __forceinline__

namespace glia::GLIA_GPU {

/// A number in three digits, such as a depth as window row, window column and channel.
struct Digits {
  int low, middle, high;
};

/// The bases of the two lower digits; the highest has none.
struct Radix {
  int low = 1, middle = 1;

  GLIA_INLINE Digits digits(int number) const {
    const int rest = number / low;
    return {number % low, rest % middle, rest / middle};
  }
  /// Adds without dividing: slices are equally far apart.
  GLIA_INLINE void add(Digits& number, const Digits& step) const {
    number.low += step.low;
    if (number.low >= low) {
      number.low -= low;
      ++number.middle;
    }
    number.middle += step.middle;
    if (number.middle >= middle) {
      number.middle -= middle;
      ++number.high;
    }
    number.high += step.high;
  }
};

/// How many elements a place advances by as a digit of its number grows by 1.
struct Strides {
  int low = 0, middle = 0, high = 0;
};

}  // namespace glia::GLIA_GPU
