// The CPU backend: float32, NHWC, vectorised with run-time dispatch, threads by OpenMP.
#pragma once

#include <string_view>

#include "kernels/api/table.h"

namespace glia::cpu {

const KernelTable& table();

/// The instruction set that the dispatch chose on this machine, "AVX3" for instance.
const char* instruction_set();

/// From now on the dispatch chooses none better than `name`, for tests and comparisons. False, and
/// nothing changes, where this machine or build has no such instruction set.
bool limit_instruction_set(std::string_view name);

/// The instructions that multiply in bf16 on this machine, "AMX" for instance; null where it has
/// none.
const char* bf16_instruction_set();
/// Whether --precision bf16 computes most convolutions in bf16 here: with AMX. Those that fp32
/// computes faster stay in fp32 (kernels/cpu/conv/conv_choice.h).
bool bf16_mostly();

/// The cores of the places to which OpenMP binds threads because the environment says so
/// (OMP_PLACES, OMP_PROC_BIND); 0 where it binds none.
int cores_in_places();

/// Starts the threads that the kernels of a device with `threads` will ask OpenMP for, so that a
/// limit which leaves no room for them is met here: OpenMP's runtime would end the program. Returns
/// how many there can be, `threads` when all is well.
int start_threads(int threads);

}  // namespace glia::cpu
