// What NVIDIA's assembler makes of a kernel: registers, spills, and which instructions.
#pragma once

#include <map>
#include <string>

#include "apps/kernel/compile_kernel.h"

namespace glia {

/// Of each __global__ function a line of registers and spills by nvcc's assembler for sm_90, and,
/// where cuobjdump is found (on the PATH, or what CUOBJDUMP names), one of its instructions; ""
/// without nvcc on the PATH. Where cuobjdump is not found or fails, the last line says so.
std::string assembly_of(const KernelSource& source);

/// "612 instructions: 23 % fp32, 12 % shared memory, 65 % others" of each function in what
/// `cuobjdump -sass` prints, each instruction counted once as it stands.
std::map<std::string, std::string> instruction_shares(const std::string& sass);

}  // namespace glia
