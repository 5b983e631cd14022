#include "tests/ops/op_case.h"

#include <fmt/ranges.h>

#include "kernels/cpu/table.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"

namespace glia::test {

namespace {

void check_on(const KernelTable& kernels, std::span<const Case> cases) {
  for (const Case& test : cases) {
    const Report report = examine(test, kernels);
    INFO(fmt::format("{} on {} in {}: {} ({})\nshares of the bounds: {}", test.op, kernels.name,
                     name_of(kernels.activations), test.text, test.name,
                     fmt::join(report.shares, ", ")));
    CHECK(report.failures == std::vector<std::string>{});
  }
}

}  // namespace

void check_cases(std::span<const Case> cases) {
  if (cases.empty()) return;
  for (const KernelTable* kernels : devices_under_test(cases.front().op)) check_on(*kernels, cases);
}

void check_cases_with_maps(std::span<const Case> cases) {
  for (const KernelTable* kernels : devices_under_test())
    if (kernels->maps == Maps::read) check_on(*kernels, cases);
}

void check_cases_with_written_maps(std::span<const Case> cases) {
  for (const KernelTable* kernels : devices_under_test())
    if (kernels->maps != Maps::none) check_on(*kernels, cases);
}

void check_cases_with_moments(std::span<const Case> cases) {
  for (const KernelTable* kernels : devices_under_test())
    if (kernels->gives_moments) check_on(*kernels, cases);
}

void check_cases_on_cpu(std::span<const Case> cases) {
  for (const KernelTable* kernels : devices_under_test())
    if (kernels == &cpu::table()) check_on(*kernels, cases);
}

void check_cases_in_bf16(std::span<const Case> cases) {
  for (const KernelTable* kernels : devices_under_test())
    if (kernels->in_bf16) check_on(*kernels->in_bf16, cases);
}

void check_cases_on_gpu_kernels(std::span<const Case> cases) {
  for (const KernelTable* kernels : devices_under_test())
    if (is_our_gpu(*kernels)) check_on(*kernels, cases);
}

void on_each_device_in_bf16(const std::function<void(Device&)>& body) {
  for (const KernelTable* kernels : devices_under_test()) {
    if (!kernels->in_bf16) continue;
    INFO("on " << kernels->name);
    const auto memory = guarded_memory(*kernels->in_bf16);
    {
      Device device("guarded", *kernels->in_bf16, memory, 1);
      body(device);
    }
    CHECK(memory->violations() == 0);
  }
}

}  // namespace glia::test
