// __launch_bounds__ for kernels that g++ compiles: the bound lies before the kernel's first
// instruction, as that many empty ones that nothing executes, and a table of the program's says
// where they begin. So the kernel's source stays as nvcc takes it. clang refuses bounds that depend
// on a template's parameters; there they are not checked.
#pragma once

#include <cstddef>
#include <cstdint>

#define GLIA_FIRST_OF(first, ...) first
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define GLIA_LAUNCH_BOUNDS(threads) \
  __attribute__((patchable_function_entry((threads) + 0, (threads) + 0)))
#define __launch_bounds__(...) GLIA_LAUNCH_BOUNDS((GLIA_FIRST_OF(__VA_ARGS__, 0)))
#else
#define __launch_bounds__(...)
#endif

namespace glia::emu {

/// The most threads of a block that `kernel` was compiled for; 1024 where it does not say.
int launch_bound(const void* kernel);
/// Of a library that was loaded into the program: its table of kernels that say a bound.
void add_launch_bounds(const std::uintptr_t* begin, const std::uintptr_t* end);
/// Whether this build can tell.
bool has_launch_bounds();

/// Shared memory that a block of `kernel` may have: 48 KiB until `raise_shared_limit`, which
/// returns false above the device's limit.
std::size_t shared_limit_of(const void* kernel);
bool raise_shared_limit(const void* kernel, std::size_t bytes);

}  // namespace glia::emu
