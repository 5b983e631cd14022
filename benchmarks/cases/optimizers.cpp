// One step of each optimizer over flat buffers. tests/ops/optim_step_test.cpp judges them.
#include "benchmarks/cases/operation.h"
#include "engine/runtime/run.h"

namespace glia::cases {

namespace {

using Step = void (*)(Device&, std::span<const Tensor> buffers);

/// Inputs: weights, gradients and `moments` moments, which are positive.
Case step_case(const char* op, const Dimensions& d, std::size_t moments, Step step) {
  const Input weights{.shape = {d.shape.numel()}, .grad = false, .image = false};
  Case test{.op = op,
            .text = fmt::format("{} parameters", d.shape.numel()),
            .inputs = {weights, weights},
            .build =
                [step](Tape& tape, std::span<const Tensor> in, const Tensor&) {
                  step(tape.device(), in);
                  return in[0];
                },
            .updated = {0}};
  for (std::size_t i = 0; i < moments; ++i) {
    test.updated.push_back(test.inputs.size());
    test.inputs.push_back(weights);
    test.inputs.back().low = 0;
  }
  return test;
}

}  // namespace

Operation adam_operation() {
  return {
      .name = "adam", .image = false, .at = [](const Dimensions& d) {
        return std::vector{step_case("adam", d, 2, [](Device& device, std::span<const Tensor> x) {
          run<&KernelTable::adam_step>(device,
                                       {.w = x[0], .m = x[2], .v = x[3], .g = x[1], .step = 5});
        })};
      }};
}

Operation sgd_operation() {
  return {
      .name = "sgd", .image = false, .at = [](const Dimensions& d) {
        return std::vector{step_case("sgd", d, 1, [](Device& device, std::span<const Tensor> x) {
          run<&KernelTable::sgd_step>(device, {.w = x[0], .m = x[2], .g = x[1]});
        })};
      }};
}

Operation rmsprop_operation() {
  return {.name = "rmsprop", .image = false, .at = [](const Dimensions& d) {
            return std::vector{
                step_case("rmsprop", d, 1, [](Device& device, std::span<const Tensor> x) {
                  run<&KernelTable::rmsprop_step>(device, {.w = x[0], .v = x[2], .g = x[1]});
                })};
          }};
}

}  // namespace glia::cases
