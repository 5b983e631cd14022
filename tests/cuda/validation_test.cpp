// Validation that is recorded, on slices that lie on the device, gives the bits of an evaluation
// kernel by kernel.
#include "engine/train/validation.h"

#include "engine/runtime/gpu_backends.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/cuda/limited.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

namespace glia::test {

namespace {

constexpr std::int64_t kSlices = 13;  // batches of three and a last one of one

struct Slices {
  Slices() {
    for (std::int64_t i = 0; i < kSlices; ++i)
      write_pair(folder.path(), std::to_string(i), static_cast<float>(i), i % 5 + 1);
    samples = scan_pairs(folder.path());
  }
  TempFolder folder;
  std::vector<Sample> samples;
};

/// All that an evaluation says, so that two can be compared to the bit.
std::vector<double> figures(const EvaluateResult& result) {
  const Summary summary = result.evaluation.summary();
  std::vector<double> all{result.loss, static_cast<double>(result.batches),
                          summary.batch_iou.value(), summary.batch_iou_thresholded.value(),
                          summary.batch_dice_thresholded.value()};
  for (const Case& slice : result.evaluation.slices())
    for (const std::int64_t n : {slice.counts.tp, slice.counts.fp, slice.counts.fn, slice.counts.tn,
                                 std::int64_t{std::stoi(slice.id)}})
      all.push_back(static_cast<double>(n));
  return all;
}

Objective objective() {
  return Objective::parse("iou+0.5*bce", Region::batch, 1);
}

/// Sees nothing, and so makes a device compute kernel by kernel.
void watch(Device& device) {
  device.watch(std::make_shared<Watcher>());
}

/// What `evaluate` says on a device of its own, of weights that `seed` draws.
std::vector<double> evaluated(const DeviceRequest& request, const Slices& slices,
                              std::uint64_t seed) {
  const auto device = open_device(request);
  watch(*device);
  UNet model({.in_channels = 2, .base_width = 8, .depth = 2});
  model.parameters().allocate(*device, seed);
  Loader loader(slices.samples, {}, {.batch_size = 3});
  return figures(evaluate(*device, model, loader, objective(), {}));
}

}  // namespace

TEST_CASE("validation: recorded and resident, the bits of an evaluation kernel by kernel",
          "[cuda]") {
  const Slices slices;
  std::vector<DeviceRequest> requests;
  for (DeviceRequest request : gpu_devices())
    for (const auto precision : {ConvPrecision::fp32, ConvPrecision::tf32, ConvPrecision::bf16}) {
      request.precision = precision;
      requests.push_back(request);
    }
  requests.push_back({.device = "cpu"});
  const Objective loss = objective();
  for (const DeviceRequest& request : requests) {
    const auto first = evaluated(request, slices, 1), second = evaluated(request, slices, 2);
    CHECK(first != second);
    for (const bool resident : {false, true})
      for (const auto mode : {RepeatedWork::Mode::automatic, RepeatedWork::Mode::eager}) {
        INFO(request.backend << " on " << request.device << ", " << name_of(request.precision)
                             << ", resident " << resident);
        const auto device = open_device(request);
        UNet model({.in_channels = 2, .base_width = 8, .depth = 2});
        model.parameters().allocate(*device, 1);
        Loader loader(slices.samples, {},
                      {.batch_size = 3,
                       .contents = resident ? BatchContents::draws : BatchContents::augmented});
        ResidentSlices kept;
        if (resident) kept = load_resident(*device, slices.samples, {}, 0);
        Validation validation(*device, model, loss, loader, kept, {.mode = mode});
        CHECK(figures(validation.run()) == first);
        const bool captures = mode == RepeatedWork::Mode::automatic && device->can_capture();
        CHECK(validation.captured() == captures);
        // Another epoch's weights, in the same place.
        UNet other({.in_channels = 2, .base_width = 8, .depth = 2});
        other.parameters().allocate(*device, 2);
        const auto &mine = model.parameters().parameters(),
                   &others = other.parameters().parameters();
        for (std::size_t i = 0; i < mine.size(); ++i)
          mine[i].value.copy_from(others[i].value.to_vector<float>());
        CHECK(figures(validation.run()) == second);
        CHECK(validation.captured() == captures);
      }
  }
}

TEST_CASE("validation: recorded it needs no more memory, and keeps none", "[cuda]") {
  const Slices slices;
  const Objective loss = objective();
  const auto most_of = [&](RepeatedWork::Mode mode, std::size_t limit) {
    const GpuBackend& backend = *find_gpu_backend("emu");
    auto memory = std::make_unique<Limited>(backend.open(0), limit);
    const Limited& counted = *memory;
    auto cache = std::make_shared<CachingAllocator>(std::move(memory));
    const CachingAllocator& held = *cache;
    Device device("emu", *backend.kernels, std::move(cache), 1);
    UNet model({.in_channels = 2, .base_width = 8, .depth = 2});
    model.parameters().allocate(device, 1);
    Loader loader(slices.samples, {}, {.batch_size = 3});
    Validation validation(device, model, loss, loader, {}, {.mode = mode});
    validation.run();  // kernels keep their scratch memory
    const std::size_t before = held.live_bytes();
    validation.run();
    CHECK(held.live_bytes() == before);
    CHECK(validation.captured() == (mode == RepeatedWork::Mode::automatic));
    return counted.most();
  };
  const std::size_t eager = most_of(RepeatedWork::Mode::eager, std::size_t{1} << 40);
  CHECK(most_of(RepeatedWork::Mode::automatic, eager) <= eager);
}

}  // namespace glia::test
