// How much memory our kernels touch, as the emulator counts it.
#include <functional>

#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"
#include "kernels/emu/emu.h"
#include "tests/catch.h"
#include "tests/cuda/race/counted.h"
#include "benchmarks/judge/devices.h"

namespace glia::test {

namespace {

/// What `work` touches.
Counted counted(Device& device, const std::function<void()>& work) {
  const emu::Options before = emu::options();
  emu::options().profile = true;
  emu::clear_profile();
  work();
  device.allocator().synchronize();
  const Counted found = counted_so_far();
  emu::clear_profile();
  emu::options() = before;
  return found;
}

/// What relu touches with the activations of `kernels`.
Counted of_relu(const KernelTable& kernels, const Shape& shape) {
  Device device("guarded", kernels, guarded_memory(kernels), 1);
  const Tensor x = Tensor::zeros(device, shape, kernels.activations);
  const Tensor y = Tensor::zeros(device, shape, kernels.activations);
  return counted(device, [&] { glia::run<&KernelTable::relu_forward>(device, {.x = x, .y = y}); });
}

}  // namespace

TEST_CASE("an element-wise kernel moves half the bytes in bf16, 16 of them an instruction",
          "[ops]") {
#if defined(__clang__)
  constexpr bool kSeen = false;
#else
  constexpr bool kSeen = true;
#endif
  if (!kSeen) {
    WARN("skipped: clang's copies of structs are not seen");
    return;
  }
  const Shape shape{1, 16, 16, 32};
  const auto elements = static_cast<std::uint64_t>(shape.numel());
  for (const KernelTable* kernels : devices_under_test()) {
    if (!is_our_gpu(*kernels)) continue;
    const Counted fp32 = of_relu(*kernels, shape), bf16 = of_relu(*kernels->in_bf16, shape);
    CHECK(fp32.sectors == 2 * 4 * elements / 32);
    CHECK(bf16.sectors == 2 * 2 * elements / 32);
    CHECK(fp32.instructions == 2 * 4 * elements / 16 / 32);
    CHECK(bf16.instructions == 2 * 2 * elements / 16 / 32);
  }
}

}  // namespace glia::test
