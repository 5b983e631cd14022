// A GPU on which training fits by a hair: what a recorded step keeps aside serves what is done
// between steps too.
#include <map>

#include "engine/runtime/gpu_backends.h"
#include "engine/train/inference.h"
#include "engine/train/train_step.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/limited.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

struct Outcome {
  std::size_t most = 0;  // bytes of the GPU
  bool captured = false;
  std::vector<float> weights;
};

/// Two short epochs with a validation batch after each.
Outcome train(TrainStep::Mode mode, std::size_t limit, bool forget = true) {
  const GpuBackend& backend = *find_gpu_backend("emu");
  auto memory = std::make_unique<Limited>(backend.open(0), limit);
  Limited& counted = *memory;
  Device device("emu", *backend.kernels, std::make_shared<CachingAllocator>(std::move(memory)), 1);
  const TestBatch images;
  UNet net({.base_width = 4, .depth = 2});
  net.parameters().allocate(device, 1);
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(device, net, adam, objective, 3, mode);
  const Batch batch = images.batch();
  Outcome outcome;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int i = 0; i < 4; ++i) {
      step.upload(batch);
      step.start(1e-3);
      step.finish();
    }
    outcome.captured = step.captured();
    if (forget) step.forget_recording();
    // As in an evaluation, whose last batch is smaller: other sizes than any that the step used.
    for (const std::int64_t n : {images.shape[0], images.shape[0] - 1}) {
      const Shape shape{n, images.shape[1], images.shape[2], images.shape[3]};
      infer_logits(device, net, Tensor::zeros(device, shape), false).to_vector<float>();
    }
  }
  outcome.weights = net.parameters().flat_values().to_vector<float>();
  outcome.most = counted.most();
  return outcome;
}

}  // namespace

TEST_CASE("gpu memory: a recorded training fits where the same, kernel by kernel, fits", "[cuda]") {
  const Outcome eager = train(TrainStep::Mode::eager, std::size_t{1} << 40);
  const Outcome recorded = train(TrainStep::Mode::automatic, eager.most);
  CHECK_FALSE(eager.captured);
  CHECK(recorded.captured);
  CHECK((recorded.weights == eager.weights));
  // With the recording kept, validation needs memory of its own: the limit is tight.
  CHECK_THROWS_AS(train(TrainStep::Mode::automatic, eager.most, false), OutOfMemory);
}

}  // namespace glia::test
