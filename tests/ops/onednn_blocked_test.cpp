// The backend that keeps convolutions' tensors in oneDNN's own layouts: whoever reads or overwrites
// them through the allocator, or by a later convolution, finds what the engine's memory should
// hold.
#include "engine/ops/ops.h"
#include "engine/runtime/cpu_backends.h"
#include "engine/runtime/run.h"
#include "tests/catch.h"
#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

using reference::Values;

Values numbers(std::int64_t count, int seed) {
  Values values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<double>((i * 37 + seed * 11) % 23 - 11) / 8);
  return values;
}

Tensor filled(Device& device, const Shape& shape, int seed) {
  const Tensor tensor = Tensor::empty(device, shape);
  store(numbers(shape.numel(), seed), tensor);
  return tensor;
}

const ConvSpec kSame{.padding = Padding::all(1)};

/// What a device gives for every step of the story below.
std::vector<Values> results_on(Device& device) {
  std::vector<Values> results;
  Tape tape(device, Tape::Mode::off);
  const Tensor x = filled(device, {2, 6, 5, 8}, 1), w = filled(device, {8, 3, 3, 8}, 2);
  const Tensor wide = filled(device, {2, 6, 5, 24}, 3);
  const Tensor left = wide.channels(0, 8), right = wide.channels(8, 8);
  const auto conv = [&](const Tensor& from, const Tensor& to) {
    ops::conv2d(tape, from, w, {}, kSame, to);
  };
  // Neighbouring slices of one buffer, and the channels that nobody writes.
  conv(x, left);
  conv(x, right);
  results.push_back(load(wide));
  // A result as the next one's input, before anyone has read it.
  conv(x, left);
  conv(left, right);
  results.push_back(load(right));
  // A whole buffer of which only a part was written by the primitive, to another layout.
  const Tensor w_wide = filled(device, {5, 3, 3, 24}, 4);
  conv(right, left);
  results.push_back(load(ops::conv2d(tape, wide, w_wide, {}, kSame)));
  // And once more after that part has changed.
  conv(x, left);
  results.push_back(load(ops::conv2d(tape, wide, w_wide, {}, kSame)));
  // Operands that changed between two calls on the same memory.
  conv(x, left);
  store(numbers(x.numel(), 5), x);
  conv(x, left);
  results.push_back(load(left));
  device.allocator().fill(w.view().data, 0, static_cast<std::size_t>(w.numel()) * sizeof(float));
  conv(x, right);
  results.push_back(load(right));
  // Overwriting a part of an unread result leaves the rest.
  store(numbers(w.numel(), 6), w);
  const Tensor y = Tensor::empty(device, {2, 6, 5, 8});
  conv(x, y);
  device.allocator().fill(y.view().data, 0, 3 * sizeof(float));
  results.push_back(load(y));
  // Memory that was given back and taken again.
  conv(filled(device, {2, 6, 5, 8}, 7), y);
  conv(filled(device, {2, 6, 5, 8}, 8), y);
  results.push_back(load(y));
  return results;
}

}  // namespace

TEST_CASE("onednn-blocked: tensors are true wherever they are looked at", "[ops]") {
  const CpuBackend* backend = find_cpu_backend("onednn-blocked");
  if (!backend) {
    WARN("this build has no oneDNN");
    return;
  }
  const auto ours = make_cpu_device(1);
  ours->context().conv = ConvMethod::direct;
  const auto expected = results_on(*ours);
  for (int threads : {1, 2}) {
    const auto device = make_cpu_device(threads, *backend->kernels, backend->open());
    const auto found = results_on(*device);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      INFO("result " << i << " with " << threads << " threads");
      REQUIRE(found[i].size() == expected[i].size());
      double largest = 0, error = 0;
      for (std::size_t j = 0; j < found[i].size(); ++j) {
        largest = std::max(largest, std::abs(expected[i][j]));
        error = std::max(error, std::abs(found[i][j] - expected[i][j]));
      }
      CHECK(error <= 1e-5 * largest);
    }
  }
}

TEST_CASE("onednn-blocked: lacks every kernel that would read tensors behind its back", "[ops]") {
  const CpuBackend* backend = find_cpu_backend("onednn-blocked");
  if (!backend) return;
  const auto device = make_cpu_device(1, *backend->kernels, backend->open());
  Tape tape(*device, Tape::Mode::off);
  const Tensor x = filled(*device, {1, 2, 2, 3}, 1);
  CHECK_THROWS_WITH(ops::relu(tape, x),
                    "unsupported: the backend 'onednn-blocked' has no kernel relu_forward");
  CHECK_THROWS_WITH(ops::add(tape, x, x),
                    "unsupported: the backend 'onednn-blocked' has no kernel add");
}

}  // namespace glia::test
