// How many kernels a training step launches, so that a change is noticed; and that a trace sees all
// of them.
#include "engine/runtime/launch_log.h"

#include <nlohmann/json.hpp>

#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/trace.h"
#include "engine/train/train_step.h"
#include "kernels/emu/emu.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

constexpr const char* kAll = "noise=0.05,brightness=0.1,flip,rotate=20,scale=0.2,gamma=0.3";

struct Step {
  std::size_t launches = 0;
  LaunchCounts counts;
};

/// What a step of a U-Net launches on the 132 multiprocessors of an H200; `slices` lie there and
/// are augmented within. It is recorded and never run.
Step launched(const UNetConfig& config, std::int64_t batch, ConvPrecision precision,
              bool resident) {
  const emu::Options before = emu::options();
  emu::options().memory = std::size_t{64} << 30;  // of which nothing is touched
  Step step;
  {
    const GpuBackend& backend = *find_gpu_backend("emu");
    // Not cached, so that memory can be asked for while it is recorded.
    Device device("emu", *backend.kernels, backend.open(0), 1);
    if (precision == ConvPrecision::bf16) device.use(*backend.kernels->in_bf16);
    device.context().precision = precision;
    device.context().multiprocessors = 132;
    UNet net(config);
    net.parameters().allocate(device, 1);
    optim::Optimizer adam({}, net.parameters());
    const Objective objective = Objective::parse("iou", Region::batch, 1);
    TrainStep training(device, net, adam, objective, 1, TrainStep::Mode::eager);
    const Shape images{batch, 240, 240, config.in_channels};
    if (resident)
      training.augment_on_device(AugmentConfig::parse(kAll),
                                 {.images = Tensor::empty(device, images),
                                  .masks = Tensor::empty(device, images.with_channels(1))});
    training.reserve(images);
    const LaunchLog log(device);
    const auto graph = device.capture([&] { training.run_on_empty(images); });
    step = {log.names().size(), counts_of(log.names())};
  }
  emu::options() = before;
  return step;
}

}  // namespace

TEST_CASE("launches: of a step of the default network", "[cuda]") {
  struct Row {
    std::int64_t base_width, batch;
    ConvPrecision precision;
    std::size_t launches;
  };
  // A step that takes fewer, or needs more, changes its row here.
  constexpr Row kRows[] = {
      {32, 6, ConvPrecision::tf32, 224},  {32, 6, ConvPrecision::bf16, 217},
      {64, 12, ConvPrecision::fp32, 239}, {64, 12, ConvPrecision::tf32, 222},
      {64, 12, ConvPrecision::bf16, 219},
  };
  for (const Row& row : kRows) {
    INFO("base width " << row.base_width << ", " << name_of(row.precision));
    const Step plain = launched({.base_width = row.base_width}, row.batch, row.precision, false);
    const Step resident = launched({.base_width = row.base_width}, row.batch, row.precision, true);
    std::string list;
    for (const auto& [name, count] : plain.counts) list += fmt::format("{} {}\n", name, count);
    CAPTURE(list);
    CHECK(plain.launches == row.launches);
    // Places, gamma's sums and values, and those of brightness and noise.
    CHECK(resident.launches == plain.launches + 5);
  }
}

TEST_CASE("launches: a trace sees every one of a step, augmentation too", "[cuda]") {
  for (const bool resident : {false, true}) {
    const auto device = open_device({.device = "cpu", .backend = "emu"});
    const TestBatch images;
    UNet net({.base_width = 8, .depth = 2});
    net.parameters().allocate(*device, 1);
    optim::Optimizer adam({}, net.parameters());
    const Objective objective = Objective::parse("iou", Region::batch, 1);
    TrainStep step(*device, net, adam, objective, 3);
    Batch batch = images.batch();
    if (resident) {
      const AugmentConfig augment = AugmentConfig::parse(kAll);
      step.augment_on_device(
          augment,
          {.images = Tensor::from<float>(*device, images.shape, images.images),
           .masks = Tensor::from<float>(*device, images.shape.with_channels(1), images.masks)});
      for (std::int64_t i = 0; i < batch.size; ++i)
        batch.draws.push_back(draw_augment(augment, 1, 1, i));
    }
    step.upload(batch);
    LaunchCounts all;
    {
      const LaunchLog log(*device);
      step.start(1e-3);
      all = counts_of(log.names());
    }
    step.finish();
    const auto trace = std::make_shared<Trace>();
    device->watch(trace);
    step.upload(batch);
    step.start(1e-3);
    step.finish();
    CHECK(launched_by(trace->entries()) == all);
    const auto entries = trace->entries();
    const auto augments = std::find_if(entries.begin(), entries.end(), [](const TraceEntry& e) {
      return e.kernel == std::string_view("augment_batch");
    });
    REQUIRE((augments != entries.end()) == resident);
    if (resident) CHECK(augments->launches() == 5);
  }
}

}  // namespace glia::test
