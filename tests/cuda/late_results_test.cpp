// Where steps are replayed the host looks at a step after the next has begun. Nothing of a run
// shows it: figures, order, checkpoints and stops are those of one that waits for each step.
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/check_nan.h"
#include "engine/train/trainer.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

namespace glia::test {

namespace {

constexpr std::int64_t kSlices = 12;

struct Told {
  std::vector<double> losses;  // means so far, a step each
  std::vector<std::int64_t> steps;
  std::vector<std::int64_t> checkpoints;  // steps of the last one, when a step is told
  std::vector<float> weights;
  std::string error;
  std::int64_t behind = 0;  // the most steps that had begun and were not told of
};

struct How {
  bool eager = false;
  bool check_nan = false;
  std::int64_t stop_after = 0, checkpoint_every = 0;
  /// What the weights become once step 5 has been queued, before step 6: these, other weights 0.1
  /// and biases 0. Empty: they stay.
  std::map<std::string, float> weights = {};
};

constexpr std::int64_t kChangeAfter = 5;

void change(nn::Model& model, const std::map<std::string, float>& weights) {
  for (const nn::Parameter& p : model.parameters().parameters()) {
    const auto given = weights.find(p.name);
    const float value = given != weights.end()      ? given->second
                        : p.name.ends_with(".bias") ? 0.0F
                                                    : 0.1F;
    p.value.copy_from(std::vector<float>(static_cast<std::size_t>(p.shape.numel()), value));
  }
}

std::int64_t steps_in(const RunFolder& run) {
  return Checkpoint::open(run.last()).info.at("training").at("steps").get<std::int64_t>();
}

Told train(const DeviceRequest& request, const How& how) {
  const TempFolder folder;
  for (std::int64_t i = 0; i < kSlices; ++i)
    write_pair(folder.path() / "slices", std::to_string(i),
               how.weights.empty() ? static_cast<float>(i) : 1,
               how.weights.empty() ? i % 5 + 1 : 4);
  const auto device = open_device(request);
  if (how.check_nan) device->watch(std::make_shared<CheckNan>());
  UNet model({.in_channels = 2,
              .base_width = 2,
              .depth = 1,
              .norm = how.weights.empty() ? nn::NormKind::batch : nn::NormKind::none});
  model.parameters().allocate(*device, 1);
  RunFolder run(folder.path() / "run");
  run.begin();
  TrainConfig config;
  if (!how.weights.empty()) config.loss = "bce";
  config.epochs = 1;
  config.batch_size = 1;
  config.checkpoint_every = how.checkpoint_every;
  Told told;
  std::int64_t asked = 0;
  TrainEvents events;
  events.step = [&](const TrainEvents::Step& step) {
    told.losses.push_back(step.loss);
    told.steps.push_back(step.step);
    told.checkpoints.push_back(steps_in(run));
  };
  events.stop = [&] {
    ++asked;
    told.behind = std::max(told.behind, asked - std::ssize(told.steps));
    if (asked == kChangeAfter && !how.weights.empty()) change(model, how.weights);
    return asked == how.stop_after;
  };
  const std::vector<Sample> samples = scan_pairs(folder.path() / "slices");
  Trainer trainer(*device, model, config, samples, samples, Preprocess{}, run, {},
                  {.eager = how.eager}, events);
  trainer.save_last();
  const std::string before = read_file(run.last());
  bool finished = false;
  told.error = error_of([&] { finished = trainer.run(); });
  CHECK(finished == (told.error.empty() && how.stop_after == 0));
  if (!told.error.empty() && how.checkpoint_every == 0) CHECK((read_file(run.last()) == before));
  if (how.stop_after > 0) CHECK(steps_in(run) == how.stop_after);
  told.weights = model.parameters().flat_values().to_vector<float>();
  return told;
}

}  // namespace

TEST_CASE("late results: a run tells and leaves what one does that waits for each step", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices())
    for (const auto& [stop_after, checkpoint_every] :
         {std::pair{0, 0}, std::pair{6, 0}, std::pair{0, 5}, std::pair{7, 3}}) {
      INFO(request.backend << " on " << request.device << ", stopped after " << stop_after
                           << ", a checkpoint every " << checkpoint_every);
      How how{.stop_after = stop_after, .checkpoint_every = checkpoint_every};
      const Told late = train(request, how);
      how.eager = true;
      const Told eager = train(request, how);
      CHECK(eager.behind == 0);
      CHECK(late.behind == 1);
      CHECK(late.losses == eager.losses);
      CHECK(late.steps == eager.steps);
      CHECK(std::ssize(late.steps) == (stop_after > 0 ? stop_after : kSlices));
      CHECK((late.weights == eager.weights));
      CHECK(late.checkpoints == eager.checkpoints);
    }
}

TEST_CASE("late results: a loss that is no number stops the run and names its step", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices())
    for (const bool eager : {true, false}) {
      const Told told = train(request, {.eager = eager, .weights = {{"head.weight", 3e38F}}});
      CAPTURE(request.backend, eager, told.error);
      CHECK(told.behind == (eager ? 0 : 1));
      CHECK(told.steps.size() == 5);
      CHECK_THAT(told.error, ContainsSubstring("at step 6 of epoch 1, though the weights were"));
      CHECK_THAT(told.error, ContainsSubstring("The layer is named by: glia train --resume"));
    }
}

TEST_CASE("late results: a gradient that is not finite stops the run and names its step",
          "[cuda]") {
  // As in tests/train/trainer_test.cpp: the loss stays finite.
  const std::map<std::string, float> weights{{"encoder.0.conv1.weight", 10.0F},
                                             {"decoder.0.conv2.weight", 2e-38F},
                                             {"head.weight", 1e38F}};
  for (const DeviceRequest& request : gpu_devices()) {
    const Told eager = train(request, {.eager = true, .weights = weights});
    CHECK_THAT(eager.error, ContainsSubstring("train: the gradient of decoder.0.conv2.weight "
                                              "becomes NaN or infinite at step 6 of epoch 1"));
    // The next step's gradients lie where those of this one lay, and name nothing.
    const Told late = train(request, {.weights = weights});
    CHECK_THAT(late.error, ContainsSubstring("train: a gradient, a weight or a moment becomes NaN "
                                             "or infinite at step 6 of epoch 1"));
    CHECK(late.steps.size() == 5);
    // As it advises; nothing has been trained by the last checkpoint.
    CHECK_THAT(late.error, ContainsSubstring("The first of them is named by: glia train --resume"));
    CHECK_THAT(train(request, {.check_nan = true, .weights = weights}).error,
               ContainsSubstring("--check-nan: conv2d_wgrad of decoder.0.conv2 wrote"));
    // Where a checkpoint is due after the step, nothing runs behind it.
    const Told due = train(request, {.checkpoint_every = 6, .weights = weights});
    CHECK(due.error.substr(0, due.error.find(';')) == eager.error.substr(0, eager.error.find(';')));
  }
}

}  // namespace glia::test
