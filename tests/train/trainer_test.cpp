// A run stops at the step whose gradients or moments are not finite, and names them.
#include "engine/train/trainer.h"

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// Of a depth and without norms, with weights that make all activations positive.
class SmallRun {
 public:
  SmallRun() {
    for (const char* id : {"1", "2", "3", "4"}) write_pair(folder_.path() / "slices", id, 1, 4);
    model_.parameters().allocate(*cpu_, 1);
    for (const nn::Parameter& p : model_.parameters().parameters())
      set(p.name, p.name.ends_with(".bias") ? 0.0F : 0.1F);
  }
  /// All values of a parameter.
  void set(const std::string& name, float value) {
    for (const nn::Parameter& p : model_.parameters().parameters())
      if (p.name == name)
        return p.value.copy_from(
            std::vector<float>(static_cast<std::size_t>(p.shape.numel()), value));
    FAIL("no parameter " << name);
  }
  /// Trains for four steps, of which the first makes a checkpoint if it gets there.
  std::string error(optim::Kind kind) {
    TrainConfig config;
    config.loss = "bce";
    config.epochs = 1;
    config.batch_size = 1;
    config.checkpoint_every = 1;
    config.optimizer.kind = kind;
    const std::vector<Sample> samples = scan_pairs(folder_.path() / "slices");
    Trainer trainer(*cpu_, model_, config, samples, samples, Preprocess{}, run_, {},
                    {.eager = true}, TrainEvents{});
    run_.begin();
    trainer.save_last();
    const std::string before = read_file(run_.last());
    const std::string message = error_of([&] { trainer.run(); });
    if (!message.empty()) CHECK(read_file(run_.last()) == before);
    return message;
  }

 private:
  TempFolder folder_;
  RunFolder run_{folder_.path() / "run"};
  std::unique_ptr<Device> cpu_ = make_cpu_device(2);
  UNet model_{{.in_channels = 2, .base_width = 2, .depth = 1, .norm = nn::NormKind::none}};
};

}  // namespace

TEST_CASE("trainer: a gradient that overflows stops the run at its step", "[train]") {
  for (const optim::Kind kind : {optim::Kind::adam, optim::Kind::sgd, optim::Kind::rmsprop}) {
    SmallRun run;
    // The loss stays finite: what conv2 makes tiny, the head makes large. Going back, the head's
    // weight alone multiplies what arrives at conv2's.
    run.set("encoder.0.conv1.weight", 10);
    run.set("decoder.0.conv2.weight", 2e-38F);
    run.set("head.weight", 1e38F);
    CHECK_THAT(run.error(kind),
               ContainsSubstring("train: the gradient of decoder.0.conv2.weight becomes NaN or "
                                 "infinite at step 1 of epoch 1; lower --learning-rate"));
  }
}

TEST_CASE("trainer: a moment that overflows stops the run at its step", "[train]") {
  SmallRun run;
  run.set("decoder.0.conv2.weight", 1e-25F);
  run.set("head.weight", 1e25F);
  CHECK_THAT(run.error(optim::Kind::adam),
             ContainsSubstring("train: the optimizer's v of decoder.0.conv2.weight becomes NaN or "
                               "infinite at step 1 of epoch 1"));
}

TEST_CASE("trainer: finite values are no reason to stop", "[train]") {
  CHECK(SmallRun().error(optim::Kind::adam).empty());
}
