// A training whose slices lie on the device gives the bits of one that gets them batch by batch,
// captured or not, whole or resumed within an epoch.
#include "engine/train/resident.h"

#include <nlohmann/json.hpp>

#include "engine/train/trainer.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

namespace glia::test {

namespace {

constexpr std::int64_t kSlices = 9, kBatch = 2, kEpochs = 2;
constexpr const char* kAll = "noise=0.05,brightness=0.1,flip,rotate=20,scale=0.2,gamma=0.3";

struct How {
  int loader_threads = 0;
  bool eager = false, resident = false;
};

/// A run of a small network on slices of 4x4.
class SmallRun {
 public:
  explicit SmallRun(const DeviceRequest& request) : device_(open_device(request)) {
    for (std::int64_t i = 0; i < kSlices; ++i)
      write_pair(folder_.path() / "slices", std::to_string(i), static_cast<float>(i), i % 5 + 1);
    model_.parameters().allocate(*device_, 1);
    run_.begin();
  }

  /// Trains until `steps` are done or, if that is 0, to the end. Returns the weights.
  std::vector<float> train(const char* augment, const How& how, std::int64_t steps = 0,
                           bool resume = false) {
    TrainConfig config;
    config.epochs = kEpochs;
    config.batch_size = kBatch;
    config.augment = AugmentConfig::parse(augment);
    TrainEvents events;
    std::int64_t done = 0;
    events.stop = [&] { return ++done == steps; };
    const std::vector<Sample> samples = scan_pairs(folder_.path() / "slices");
    TrainRuntime runtime{.loader_threads = how.loader_threads, .eager = how.eager};
    if (how.resident) runtime.slices = load_resident(*device_, samples, Preprocess{}, 1);
    Trainer trainer(*device_, model_, config, samples, samples, Preprocess{}, run_, {}, runtime,
                    events);
    if (resume)
      trainer.resume(Checkpoint::open(run_.last()));
    else
      trainer.save_last();
    CHECK(trainer.run() == (steps == 0));
    return model_.parameters().flat_values().to_vector<float>();
  }

 private:
  TempFolder folder_;
  RunFolder run_{folder_.path() / "run"};
  std::unique_ptr<Device> device_;
  UNet model_{{.in_channels = 2, .base_width = 2, .depth = 1}};
};

}  // namespace

TEST_CASE("resident: the bits of slices that come batch by batch", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices())
    for (const char* augment : {"none", "flip", kAll}) {
      INFO(request.backend << " on " << request.device << ", " << augment);
      const auto streamed = SmallRun(request).train(augment, {.loader_threads = 1, .eager = true});
      for (const bool eager : {true, false}) {
        CHECK((SmallRun(request).train(augment, {.eager = eager, .resident = true}) == streamed));
        CHECK((SmallRun(request).train(augment, {.eager = eager}) == streamed));
      }
      CHECK((SmallRun(request).train("brightness=0.3", {.resident = true}) != streamed));
    }
}

TEST_CASE("resident: a run that goes on within an epoch ends alike, whatever it was", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto whole = SmallRun(request).train(kAll, {.resident = true});
    for (const bool first : {true, false}) {
      INFO(request.backend << " on " << request.device << ", first resident " << first);
      SmallRun run(request);
      run.train(kAll, {.resident = first}, 6);
      CHECK((run.train(kAll, {.resident = !first}, 0, true) == whole));
    }
  }
}

TEST_CASE("resident: slices lie on the device in the order of their list", "[cuda]") {
  const TempFolder folder;
  for (const char* id : {"a", "b", "c"}) write_pair(folder.path(), id, id[0], id[0] - 'a' + 1);
  const auto device = open_device({.device = "cpu", .backend = "emu"});
  const ResidentSlices slices = load_resident(*device, scan_pairs(folder.path()), {}, 2);
  CHECK(slices.images.shape() == Shape{3, 4, 4, 2});
  CHECK(ResidentSlices::bytes(3, 4, 4, 2) == 3 * 16 * 3 * sizeof(float));
  const auto images = slices.images.to_vector<float>(), masks = slices.masks.to_vector<float>();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(images[i * 32] == static_cast<float>('a' + i));
    CHECK(images[i * 32 + 31] == static_cast<float>('a' + i) + 31);
    CHECK(masks[i * 16 + i] == 1);
    CHECK(masks[i * 16 + i + 1] == 0);
  }
}

TEST_CASE("resident: steps refuse batches that were made for another place", "[cuda]") {
  const auto cpu = make_cpu_device(1);
  UNet model({.in_channels = 2, .base_width = 2, .depth = 1});
  model.parameters().allocate(*cpu, 1);
  optim::Optimizer adam({}, model.parameters());
  const Objective objective = Objective::parse("bce", Region::batch, 1);
  TrainStep step(*cpu, model, adam, objective, 1);
  CHECK(error_of([&] { step.augment_on_device({}); }) ==
        "unsupported: the backend 'cpu' does not augment batches");
  Batch batch{.size = 1, .height = 4, .width = 4, .channels = 2};
  batch.draws.resize(1);
  CHECK(error_of([&] { step.upload(batch); }) ==
        "train step: a batch with draws for a device that does not augment");
}

TEST_CASE("resident: names") {
  for (const std::string& name : resident_names())
    CHECK(resident_names()[static_cast<std::size_t>(parse_resident(name))] == name);
  CHECK(parse_resident("auto") == Resident::automatic);
  CHECK(error_of([] { parse_resident("yes"); }) == "found 'yes', expected auto, on or off");
}

}  // namespace glia::test
