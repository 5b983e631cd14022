// The list of kernels that the benchmark times is what a training step really runs.
#include <algorithm>
#include <map>
#include <string_view>

#include "benchmarks/suite/record.h"
#include "benchmarks/suite/repeated_step.h"
#include "engine/runtime/trace.h"
#include "kernels/cpu/table.h"
#include "tests/apps/tiny_unet.h"
#include "tests/catch.h"

using namespace glia;

namespace {

double counted_flops = 0;

/// The CPU's kernel, its operations added up.
template <auto entry, class Args>
void counting(KernelContext& context, const Args& args) {
  counted_flops += args.geometry.flops();
  (cpu::table().*entry)(context, args);
}

KernelTable counting_kernels() {
  KernelTable table = cpu::table();
  table.conv2d_forward = counting<&KernelTable::conv2d_forward, Conv2dForward>;
  table.conv2d_dgrad = counting<&KernelTable::conv2d_dgrad, Conv2dDgrad>;
  table.conv2d_wgrad = counting<&KernelTable::conv2d_wgrad, Conv2dWgrad>;
  table.conv_transpose2d_forward =
      counting<&KernelTable::conv_transpose2d_forward, ConvTranspose2dForward>;
  table.conv_transpose2d_dgrad =
      counting<&KernelTable::conv_transpose2d_dgrad, ConvTranspose2dDgrad>;
  table.conv_transpose2d_wgrad =
      counting<&KernelTable::conv_transpose2d_wgrad, ConvTranspose2dWgrad>;
  return table;
}

double convolution_flops(const bench::RecordedStep& step) {
  double total = 0;
  for (const bench::Call& call : step.calls)
    if (call.op.starts_with("conv")) total += call.flops;
  return total;
}

const bench::Call& call_of(const bench::RecordedStep& step, std::string_view layer,
                           std::string_view kernel) {
  const auto found = std::find_if(step.calls.begin(), step.calls.end(), [&](const auto& call) {
    return call.layer == layer && call.kernel == kernel;
  });
  REQUIRE(found != step.calls.end());
  return *found;
}

}  // namespace

TEST_CASE("bench: the recorded kernels are those of a traced training step", "[bench]") {
  for (const UpPath up : {UpPath::transpose, UpPath::upsample}) {
    UNetConfig config = test::kTinyUNet;
    config.up = up;
    std::map<std::string, std::int64_t> expected, recorded;
    const auto device = make_cpu_device(1);
    const auto trace = std::make_shared<Trace>();
    device->watch(trace);
    bench::RepeatedStep step(*device, config, 2, 16, TrainStep::Mode::eager);
    step.run();
    for (const TraceEntry& entry : trace->entries()) expected[entry.kernel] += entry.calls;
    // A step begins with copies of the images and the masks.
    if ((expected["scale"] -= 2) == 0) expected.erase("scale");
    const bench::Recording as_cpu{.maps = Maps::read};
    for (const bench::Call& call : bench::record_training_step(config, 2, 16, as_cpu).calls)
      ++recorded[call.kernel];
    CHECK(recorded == expected);
  }
}

TEST_CASE("bench: the recorded convolutions do the operations of a real step", "[bench]") {
  const KernelTable table = counting_kernels();
  Device device("counting", table,
                std::make_shared<CachingAllocator>(std::make_unique<SystemAllocator>()), 1);
  bench::RepeatedStep step(device, test::kTinyUNet, 2, 16, TrainStep::Mode::eager);
  counted_flops = 0;
  step.run();
  CHECK(convolution_flops(bench::record_training_step(test::kTinyUNet, 2, 16)) == counted_flops);
}

TEST_CASE("bench: the published network's size and operations", "[bench]") {
  const bench::RecordedStep step = bench::record_training_step({.base_width = 64}, 1, 240);
  CHECK(step.parameters == 31037633);
  CHECK(convolution_flops(step) == Approx(253.8e9).epsilon(1e-3));
  double forward = 0;
  for (const bench::Call& call : step.calls)
    if (call.op.starts_with("conv") && call.phase == Phase::forward) forward += call.flops;
  CHECK(forward == Approx(84.7e9).epsilon(1e-3));
}

TEST_CASE("bench: calls know their layer, shape, pitch and write mode", "[bench]") {
  const bench::RecordedStep step = bench::record_training_step(test::kTinyUNet, 2, 16);
  CHECK(call_of(step, "encoder.0.conv1", "conv2d_forward").extent.str() == "2x16x16 3>4 3x3");
  CHECK(call_of(step, "decoder.1.up", "conv_transpose2d_dgrad").extent.str() == "2x4x4 16>8 2x2/2");
  CHECK(call_of(step, "all parameters", "adam_step").phase == Phase::update);
  CHECK(call_of(step, "head", "iou_loss_backward").phase == Phase::backward);
  CHECK(call_of(step, "decoder.0.conv2", "conv2d_wgrad").phase == Phase::wgrad);
  // The skip connection: written into a slice, its gradient added to.
  const bench::Call& skip = call_of(step, "encoder.0.norm2", "relu_forward");
  CHECK(skip.operands.back().view.pitch == 8);
  CHECK(skip.operands.back().view.channels() == 4);
  const bench::Call& pool = call_of(step, "encoder.0.norm2", "max_pool2d_backward");
  CHECK(pool.operands.back().role == Role::add);
  // Nobody asks for the gradient of the images.
  for (const bench::Call& call : step.calls)
    CHECK_FALSE((call.layer == "encoder.0.conv1" && call.phase == Phase::dgrad));
  CHECK(step.planned_bytes > 0);
}

TEST_CASE("bench: rows are the calls that differ, each call in one", "[bench]") {
  const bench::RecordedStep step = bench::record_training_step(test::kTinyUNet, 2, 16);
  const auto rows = bench::distinct_rows(step.calls);
  std::size_t calls = 0;
  for (const bench::Row& row : rows) calls += row.layers.size();
  CHECK(calls == step.calls.size());
  CHECK(rows.size() < step.calls.size());
  const auto shared = std::find_if(rows.begin(), rows.end(), [](const bench::Row& row) {
    return row.layers.front() == "encoder.1.conv2" && row.call.kernel == "conv2d_forward";
  });
  REQUIRE(shared != rows.end());
  CHECK(shared->layers == std::vector<std::string>{"encoder.1.conv2", "decoder.1.conv2"});
}
