// A case as a device of several ranks computes it: here of one, which is alone.
#pragma once

#include "benchmarks/cases/case.h"
#include "engine/comm/alone.h"

namespace glia::cases {

inline Case of_ranks(Case test) {
  test.text += ", of ranks";
  test.build = [build = test.build](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
    tape.device().join(&alone());
    Tensor result = build(tape, in, out);
    tape.device().join(nullptr);
    return result;
  };
  return test;
}

}  // namespace glia::cases
