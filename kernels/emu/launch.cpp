// Launches as the host sees them: what a GPU would refuse, and the queue.
#include <cstring>

#include "engine/base/check.h"
#include "kernels/emu/block.h"
#include "kernels/emu/devices.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/launch_bounds.h"
#include "kernels/emu/launched.h"
#include "kernels/emu/memory.h"
#include "kernels/emu/places.h"
#include "kernels/emu/streams.h"

namespace glia::emu {
namespace {

thread_local std::vector<Launched>* t_launched = nullptr;

/// Refuses a stream of another device than the current one, and memory that the launch's device
/// does not reach. Every eight bytes of the arguments that are an address of emulated memory count
/// as a pointer.
void check_device(cudaStream_t stream, const Launch& launch,
                  std::initializer_list<Bytes> arguments) {
  const int device = device_of(stream);
  check(
      device == current_device(),
      "emu: {}: its stream belongs to device {}, and device {} is current; call cudaSetDevice({}) "
      "first",
      launch.name, device, current_device(), device);
  if (device_count() == 1) return;
  int number = 0;
  for (const Bytes& argument : arguments) {
    ++number;
    for (std::size_t i = 0; i + sizeof(void*) <= argument.count; i += sizeof(void*)) {
      const void* pointer = nullptr;
      std::memcpy(&pointer, static_cast<const std::byte*>(argument.data) + i, sizeof pointer);
      const memory::Allocation* allocation = memory::find(pointer);
      check(!allocation || allocation->host || reaches(device, allocation->device),
            "emu: {} on device {}: argument {} is memory of device {}, which it does not reach; "
            "allocate it there, or enable peer access",
            launch.name, device, number, allocation ? allocation->device : 0);
    }
  }
}

}  // namespace

void log_launched(std::vector<Launched>* launched) {
  t_launched = launched;
}

void check_launch(const Launch& launch) {
  const dim3 g = launch.grid, t = launch.block;
  const std::uint64_t threads = std::uint64_t{t.x} * t.y * t.z;
  check(threads >= 1 && threads <= kMaxThreads && t.z <= 64,
        "emu: {}: a block of ({},{},{}) threads; a GPU takes 1 to {}, at most 64 in z", launch.name,
        t.x, t.y, t.z, kMaxThreads);
  check(g.x >= 1 && g.y >= 1 && g.z >= 1 && g.x <= 0x7FFFFFFFu && g.y <= 65535 && g.z <= 65535,
        "emu: {}: a grid of ({},{},{}) blocks; a GPU takes 1 to 2147483647 in x, 1 to 65535 in y "
        "and z",
        launch.name, g.x, g.y, g.z);
  check(launch.smem_bytes <= shared_limit(),
        "emu: {}: {} bytes of shared memory; a block of sm_{} has at most {}", launch.name,
        launch.smem_bytes, options().architecture, shared_limit());
  if (!launch.kernel) return;
  const auto bound = static_cast<std::uint64_t>(launch_bound(launch.kernel));
  check(threads <= bound,
        "emu: {}: a block of ({},{},{}) threads, and the kernel was compiled for at most {} "
        "(its __launch_bounds__)",
        launch.name, t.x, t.y, t.z, bound);
}

[[gnu::noinline]] void queue_kernel(cudaStream_t stream, const Launch& launch,
                                    std::initializer_list<Bytes> arguments,
                                    std::function<void()> work) {
  const std::uint32_t place = place_of(__builtin_return_address(0));
  const std::lock_guard lock(runtime());
  check_launch(launch);
  check(launch.smem_bytes <= shared_limit_of(launch.kernel),
        "emu: {}: {} bytes of shared memory; the kernel has at most {} until cudaFuncSetAttribute "
        "raises that",
        launch.name, launch.smem_bytes, shared_limit_of(launch.kernel));
  check_device(stream, launch, arguments);
  if (t_launched) t_launched->push_back({launch.name, launch.kernel});
  Work queued{{fmt::format("kernel {}", launch.name), place, {}}, std::move(work), {}, {}};
  if (stream && stream->capture)
    stream->capture->nodes.push_back(std::move(queued));
  else
    queue_work(stream, std::move(queued));
}

}  // namespace glia::emu
