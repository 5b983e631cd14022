// Launching kernels and their shared memory: with ptx.h, all that a kernel source includes of CUDA.
// nvcc compiles the sources for GPUs; a host compiler compiles the same sources for kernels/emu.
//
// Rules for kernel sources (docs/emulator.md says why): no <<<>>>, no inline assembly, no
// __shared__, no cooperative groups; *_sync intrinsics with explicit masks.
#pragma once

#include "kernels/cuda/launch.h"

#if defined(__CUDACC__)
#define GLIA_LAUNCH
#else
#include "kernels/emu/device.h"
#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
// Reports name the line that launches.
#define GLIA_LAUNCH [[gnu::always_inline]] inline
#endif

namespace glia::GLIA_GPU {

/// Runs `kernel(args...)` on the grid: the only launch point of the project. Returns when it is
/// queued. Throws `Error` when the configuration is refused. What goes wrong while it runs is told
/// when somebody waits for it.
template <class... Parameters, class... Arguments>
GLIA_LAUNCH void launch(void (*kernel)(Parameters...), const LaunchConfig& config,
                        const Arguments&... args) {
#if defined(__CUDACC__)
  const detail::Range range(config.name);
  detail::prepare_launch(reinterpret_cast<const void*>(kernel), config);
  kernel<<<config.grid, config.block, config.smem_bytes, config.stream>>>(
      static_cast<Parameters>(args)...);
  detail::check_launch(config);
#else
  const emu::Launch queued{config.grid,
                           config.block,
                           config.smem_bytes,
                           config.name,
                           reinterpret_cast<const void*>(kernel),
                           emu::current_device()};
  emu::check_launch(queued);
  detail::prepare_launch(queued.kernel, config);
  emu::queue_kernel(
      config.stream, queued, {emu::Bytes{&args, sizeof args}...}, [kernel, queued, args...] {
        const auto thread = [&]() GLIA_UNCHECKED { kernel(static_cast<Parameters>(args)...); };
        emu::run(
            queued,
            [](void* closure) GLIA_UNCHECKED { (*static_cast<decltype(&thread)>(closure))(); },
            const_cast<void*>(static_cast<const void*>(&thread)));
      });
#endif
}

/// The block's shared memory as one struct. Its contents are undefined (NaN under the emulator) as
/// the kernel starts; the launch must give at least sizeof(Smem) bytes. Aligned to 1024 bytes under
/// the emulator, to 128 at least on a GPU.
template <class Smem>
#if defined(__CUDACC__)
__device__ Smem& shared() {
  static_assert(alignof(Smem) <= 128, "say alignas in the struct, at most 128");
  extern __shared__ __align__(128) unsigned char glia_shared_memory[];
  return *reinterpret_cast<Smem*>(glia_shared_memory);
}
#else
Smem& shared(emu::Site at = emu::Site::here()) {
  return *static_cast<Smem*>(emu::shared_struct(sizeof(Smem), alignof(Smem), at));
}
#endif

}  // namespace glia::GLIA_GPU

#undef GLIA_LAUNCH
