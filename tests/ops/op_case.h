// The cases of an operation on every device under test, judged by examine.h and told to Catch.
#pragma once

#include "benchmarks/judge/examine.h"

namespace glia::test {

/// Examines all cases on all devices under test and reports to Catch: one assertion a case and
/// device, shares of the bounds under `-s`.
void check_cases(std::span<const Case> cases);
/// The same on the devices that read maps (kernels/api/read_map.h).
void check_cases_with_maps(std::span<const Case> cases);
/// And on those that at least write down what maps make.
void check_cases_with_written_maps(std::span<const Case> cases);
/// And on those whose convolutions give moments.
void check_cases_with_moments(std::span<const Case> cases);
/// The same on the devices that use threads, which is the CPU.
void check_cases_on_cpu(std::span<const Case> cases);
/// The same with activations in bf16 (operands are drawn from the numbers that it has), on the
/// devices that have it: bounds grow by the one rounding of what is stored, half a unit.
void check_cases_in_bf16(std::span<const Case> cases);
/// The same on the devices that run our GPU kernels.
void check_cases_on_gpu_kernels(std::span<const Case> cases);

}  // namespace glia::test
