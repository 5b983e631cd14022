// A program of its own on top of Glia: a network of three convolutions learns, in a second, to find
// upright crosses among slanted ones in noise. How to build it: docs/library.md.
#include <cstdio>
#include <random>
#include <vector>

#include "engine/nn/layers.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/device.h"

using namespace glia;

namespace {

/// Declares its layers; `parameters.allocate` then gives them memory and first values.
struct CrossFinder {
  nn::ParameterSet parameters;
  nn::Conv2d first{parameters, "first", 1, 8, 3, true};
  nn::Conv2d second{parameters, "second", 8, 8, 3, true};
  nn::Conv2d last{parameters, "last", 8, 1, 1, true};

  /// images [N,H,W,1] -> logits [N,H,W,1]
  Tensor forward(nn::Pass& pass, const Tensor& images) const {
    const Tensor x = ops::relu(pass.tape, first(pass, images));
    const Tensor y = ops::relu(pass.tape, second(pass, x));
    return last(pass, y);
  }
};

struct Batch {
  Tensor images, masks;
};

/// Eight images of 32 x 32 with four crosses each, every other one upright; only those are in the
/// mask.
Batch make_batch(Device& device, std::mt19937& random) {
  const Shape shape{8, 32, 32, 1};
  std::vector<float> images(shape.numel()), masks(shape.numel());
  std::normal_distribution<float> noise(0, 0.2f);
  for (float& pixel : images) pixel = noise(random);
  std::uniform_int_distribution<int> place(1, 30);
  for (int cross = 0; cross < 32; ++cross) {
    const int row = place(random), column = place(random);
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) {
        const bool upright = cross % 2 == 0, centre = dx == 0 && dy == 0;
        if (!centre && (dx * dy == 0) != upright) continue;
        const int pixel = ((cross / 4) * 32 + row + dy) * 32 + column + dx;
        images[pixel] += 1;
        masks[pixel] = upright ? 1.0f : 0.0f;
      }
  }
  return {Tensor::from<float>(device, shape, images), Tensor::from<float>(device, shape, masks)};
}

/// Intersection over union of what the network finds.
double iou(const CrossFinder& net, const Batch& batch) {
  Tape tape(batch.images.device(), Tape::Mode::off);
  nn::Pass pass{.tape = tape};
  const Tensor counts =
      ops::confusion_counts(tape, net.forward(pass, batch.images), batch.masks, 0);
  double hits = 0, either = 0;
  const auto values = counts.to_vector<std::int64_t>();  // TP, FP, FN, TN of each image
  for (std::size_t i = 0; i < values.size(); i += 4) {
    hits += static_cast<double>(values[i]);
    either += static_cast<double>(values[i] + values[i + 1] + values[i + 2]);
  }
  return hits / either;
}

}  // namespace

int main() try {
  const auto device = make_cpu_device(/*threads=*/1);  // its steps are too small for more
  CrossFinder net;
  net.parameters.allocate(*device, /*seed=*/1);
  optim::Optimizer adam({}, net.parameters);
  std::mt19937 random(1);
  for (int step = 1; step <= 300; ++step) {
    const Batch batch = make_batch(*device, random);
    net.parameters.clear_grads();
    Tape tape(*device);
    nn::Pass pass{.tape = tape, .training = true};
    const Tensor loss = ops::dice_loss(tape, net.forward(pass, batch.images), batch.masks).loss;
    tape.backward(loss);
    net.parameters.finish_grads();
    adam.step(/*learning_rate=*/0.01);
    if (step % 100 == 0) std::printf("step %d: loss %.3f\n", step, loss.item());
  }
  const double found = iou(net, make_batch(*device, random));
  std::printf("IoU on new images: %.3f\n", found);
  return found > 0.8 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
