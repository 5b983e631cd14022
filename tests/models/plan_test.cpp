// What a plan says before a step runs is what the arena holds after it.
#include "engine/train/plan.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "engine/comm/communicator.h"
#include "engine/train/train_step.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/scale/rank_steps.h"

namespace glia::test {

namespace {

const Objective& objective() {
  static const Objective kObjective = Objective::parse("iou", Region::batch, 1);
  return kObjective;
}

struct Real {
  std::size_t peak_bytes, after_two, after_all;  // the last two: requests to the system
};

/// Steps on the device itself, of `images` that are this rank's in so many shards.
Real train_on(Device& device, const UNetConfig& config, const Shape& images, const Shards& shards) {
  UNet net(config);
  net.parameters().allocate(device, 0);
  optim::Optimizer adam({}, net.parameters());
  TrainStep step(device, net, adam, objective(), 0);
  step.divide(shards);
  Batch batch;
  batch.size = images[0], batch.height = images[1], batch.width = images[2];
  batch.channels = images[3];
  batch.images.assign(static_cast<std::size_t>(images.numel()), 0.5f);
  batch.masks.assign(batch.images.size() / static_cast<std::size_t>(images[3]), 1.0f);
  Real real{};
  for (int i = 0; i < 4; ++i) {
    step.upload(batch);
    step.start(1e-3);
    step.finish();
    if (i == 1) real.after_two = device.allocator().system_requests();
  }
  real.after_all = device.allocator().system_requests();
  real.peak_bytes = device.allocator().peak_bytes();
  return real;
}

Real train(const UNetConfig& config, const Shape& images, ConvMethod conv, MemoryMode memory,
           ConvPrecision precision) {
  const auto device = make_cpu_device(2);
  device->context().precision = precision;
  device->context().conv = conv;
  device->set_memory_mode(memory);
  return train_on(*device, config, images, {});
}

StepShape shape_of(const Shape& images) {
  return {.batch_size = images[0],
          .height = images[1],
          .width = images[2],
          .optimizer = {},
          .objective = objective()};
}

}  // namespace

TEST_CASE("plan: a step holds what was planned, and a steady one asks for nothing", "[unet]") {
  const Shape images{3, 48, 48, 3};
  std::vector<std::pair<ConvMethod, ConvPrecision>> ways{
      {ConvMethod::automatic, ConvPrecision::fp32}, {ConvMethod::direct, ConvPrecision::fp32}};
  if (cpu_bf16_instructions() != nullptr)
    ways.emplace_back(ConvMethod::automatic, ConvPrecision::bf16);
  else
    WARN("no bf16 instructions here: its scratch memory is not planned");
  for (const auto& [norm, up] : {std::pair(nn::NormKind::batch, UpPath::transpose),
                                 std::pair(nn::NormKind::none, UpPath::upsample)})
    for (const MemoryMode memory : {MemoryMode::lean, MemoryMode::fast})
      for (const auto& [conv, precision] : ways) {
        const UNetConfig config{.base_width = 16, .depth = 3, .norm = norm, .up = up};
        CAPTURE(nn::name_of(norm), memory, conv, precision);
        const StepPlan plan =
            plan_step([&] { return std::make_unique<UNet>(config); }, shape_of(images),
                      {.threads = 2, .conv = conv, .memory = memory, .precision = precision});
        const Real real = train(config, images, conv, memory, precision);
        // Small blocks of the step before and of small kernels come on top.
        CHECK(plan.step_bytes <= real.peak_bytes);
        CHECK(static_cast<double>(real.peak_bytes) < 1.03 * static_cast<double>(plan.step_bytes));
        CHECK(real.after_all == real.after_two);
      }
}

TEST_CASE("plan: a step of shards and ranks holds what was planned of one", "[unet]") {
  const UNetConfig config{.base_width = 8, .depth = 3, .norm = nn::NormKind::group};
  const ModelFactory make = [&] { return std::make_unique<UNet>(config); };
  StepShape shape = shape_of({8, 48, 48, 3});
  const StepPlan whole = plan_step(make, shape, {.threads = 1});
  const auto close = [](std::size_t real, const StepPlan& plan) {
    CHECK(plan.step_bytes <= real);
    CHECK(static_cast<double>(real) < 1.03 * static_cast<double>(plan.step_bytes));
  };
  for (const std::int64_t shards : {1, 4}) {
    CAPTURE(shards);
    shape.shards = shards;
    const StepPlan plan = plan_step(make, shape, {.threads = 1});
    const auto device = make_cpu_device(1);
    close(train_on(*device, config, {8, 48, 48, 3}, Shards::of(*device, shards, 8)).peak_bytes,
          plan);
    if (shards == 1) continue;
    CHECK(static_cast<double>(plan.step_bytes) < 0.5 * static_cast<double>(whole.step_bytes));
    CHECK(plan.validation_bytes < whole.validation_bytes);
  }
  shape.ranks = 2;
  const StepPlan plan = plan_step(make, shape, {.threads = 1});
  std::atomic<std::size_t> real = 0;
  as_ranks(2, [&](Communicator* ranks) {
    const auto device = make_cpu_device(1);
    device->join(ranks);
    const Real mine = train_on(*device, config, {4, 48, 48, 3}, Shards::of(*device, 4, 8));
    if (ranks->rank() == 0) real = mine.peak_bytes;
  });
  close(real, plan);
}

TEST_CASE("plan: every tensor has a layer and a shape, and the fullest moment is the sum",
          "[unet]") {
  const UNetConfig config{.base_width = 8, .depth = 2};
  const StepPlan plan = plan_step([&] { return std::make_unique<UNet>(config); },
                                  shape_of({2, 32, 32, 3}), {.threads = 1});
  const auto find = [&](const std::string& layer, const std::string& kernel,
                        const std::string& shape) {
    return std::find_if(plan.tensors.begin(), plan.tensors.end(), [&](const PlannedTensor& t) {
      return t.layer == layer && t.made_by == kernel && t.shape == shape;
    });
  };
  // The skip connection's buffer is the first that its level makes, and lives until the end.
  const auto skip = find("encoder.0.conv1", "conv2d_forward", "[2, 32, 32, 16] f32");
  REQUIRE(skip != plan.tensors.end());
  CHECK(skip->bytes == 2 * 32 * 32 * 16 * 4);
  CHECK(skip->alive_at(plan.fullest_kernel));
  const auto logits = find("head", "conv2d_forward", "[2, 32, 32, 1] f32");
  REQUIRE(logits != plan.tensors.end());
  CHECK(logits->last != PlannedTensor::kKept);
  std::size_t live = 0;
  for (const PlannedTensor& t : plan.tensors)
    if (t.alive_at(plan.fullest_kernel)) live += (t.bytes + 63) / 64 * 64;
  CHECK(live <= plan.step_bytes);
  CHECK(static_cast<double>(live) > 0.9 * static_cast<double>(plan.step_bytes));
}

TEST_CASE("plan: every convolution of a large network says its scratch memory", "[unet]") {
  const UNetConfig config{.base_width = 32};
  for (const ConvMethod conv : {ConvMethod::automatic, ConvMethod::direct, ConvMethod::winograd}) {
    const StepPlan plan = plan_step([&] { return std::make_unique<UNet>(config); },
                                    shape_of({2, 240, 240, 3}), {.threads = 4, .conv = conv});
    std::map<std::string, int> calls;
    for (const PlannedTensor& t : plan.tensors) calls[t.made_by] += t.scratch();
    CHECK(calls["conv2d_forward"] == 18);  // all but the head's, which needs none
    CHECK(calls["conv2d_dgrad"] == 18);
    CHECK(calls["conv2d_wgrad"] >= 19);
    CHECK(calls["conv_transpose2d_forward"] == 4);
    CHECK(calls["conv_transpose2d_dgrad"] == 4);
    CHECK(calls["conv_transpose2d_wgrad"] >= 4);
  }
}

TEST_CASE("plan: the largest batch fits and one more does not", "[unet]") {
  const UNetConfig config{.base_width = 4, .depth = 2};
  const ModelFactory make = [&] { return std::make_unique<UNet>(config); };
  StepShape shape = shape_of({5, 32, 32, 3});
  const PlanTarget target{.threads = 1};
  const std::size_t room = plan_step(make, shape, target).peak_bytes();
  CHECK(largest_batch(make, shape, target, room) == 5);
  CHECK(largest_batch(make, shape, target, room - 1) == 4);
  CHECK(largest_batch(make, shape, target, 1000) == 0);
}

}  // namespace glia::test
