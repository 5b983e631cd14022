// The kernel of each convolution of the U-Net, layer by layer and pass by pass, as --trace names
// it: none is left to a slower kernel unnoticed.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ops/ops.h"
#include "engine/runtime/layer_names.h"
#include "engine/runtime/open_device.h"
#include "engine/runtime/plan_device.h"
#include "engine/runtime/trace.h"
#include "kernels/cuda/conv/conv_choice.h"
#include "models/unet/unet.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

/// The kernels of a convolution in fp32, tf32 and bf16. `layer`: "encoder.0.conv1", or "*.up" for
/// all that end so, or "*"; the first row that fits a call holds for it.
struct Row {
  const char* layer;
  const char* kernel;
  const char* algorithms[3];
};
constexpr ConvPrecision kPrecisions[] = {ConvPrecision::fp32, ConvPrecision::tf32,
                                         ConvPrecision::bf16};

/// Base width 64, depth 4, images of 240x240, batch 12, on the 132 multiprocessors of an H100 or an
/// H200. A kernel that becomes faster changes its row here.
constexpr Row kDefaultNet[] = {
    // Three channels: no copies of 16 bytes, and tf32 would gain nothing.
    {"encoder.0.conv1", "conv2d_forward", {"tiled", "tiled", "halo-bf16"}},
    {"encoder.0.conv1", "conv2d_wgrad", {"tiled", "tiled", "mma-bf16"}},
    // One output channel.
    {"head", "conv2d_forward", {"tiled", "tiled", "mma-bf16"}},
    {"head", "conv2d_dgrad", {"shuffled", "shuffled", "shuffled-mma-bf16"}},
    {"head", "conv2d_wgrad", {"tiled", "tiled", "mma-bf16"}},
    {"*.up", "conv_transpose2d_forward", {"shuffled", "shuffled-mma-tf32", "shuffled-mma-bf16"}},
    {"*.up", "conv_transpose2d_dgrad", {"tiled", "mma-tf32", "mma-bf16"}},
    {"*.up", "conv_transpose2d_wgrad", {"tiled", "mma-tf32", "mma-bf16"}},
    // Where by the model of the choice gathering is faster than patches.
    {"bottleneck.conv1", "conv2d_dgrad", {"tiled", "halo-tf32", "mma-bf16"}},
    {"*", "conv2d_forward", {"tiled", "halo-tf32", "halo-bf16"}},
    {"*", "conv2d_dgrad", {"tiled", "halo-tf32", "halo-bf16"}},
    {"*", "conv2d_wgrad", {"tiled", "mma-tf32", "halo-bf16"}},
};

/// Base width 8, depth 2, on the emulator: no layer has the 64 channels of a patch's chunk in
/// bf16; of those of 32 channels in tf32 gathering is faster by the model of the choice.
constexpr Row kTinyNet[] = {
    {"encoder.0.conv1", "conv2d_forward", {"tiled", "tiled", "mma-bf16"}},
    {"encoder.0.conv1", "conv2d_wgrad", {"tiled", "tiled", "mma-bf16"}},
    {"head", "conv2d_forward", {"tiled", "tiled", "mma-bf16"}},
    {"head", "conv2d_dgrad", {"shuffled", "shuffled", "shuffled-mma-bf16"}},
    {"head", "conv2d_wgrad", {"tiled", "tiled", "mma-bf16"}},
    {"*.up", "conv_transpose2d_forward", {"shuffled", "shuffled-mma-tf32", "shuffled-mma-bf16"}},
    {"*.up", "conv_transpose2d_dgrad", {"tiled", "mma-tf32", "mma-bf16"}},
    {"*.up", "conv_transpose2d_wgrad", {"tiled", "mma-tf32", "mma-bf16"}},
    {"*", "conv2d_forward", {"tiled", "mma-tf32", "mma-bf16"}},
    {"*", "conv2d_dgrad", {"tiled", "mma-tf32", "mma-bf16"}},
    {"*", "conv2d_wgrad", {"tiled", "mma-tf32", "mma-bf16"}},
};

/// Writes down the algorithm of each convolution, as `algorithm_of(device, call)` names it.
class Convolutions : public Watcher {
 public:
  using Call = std::pair<std::string, std::string>;  // layer, kernel
  using Naming = std::string (*)(const Device&, const KernelCall&, ConvPrecision);

  Convolutions(Naming naming, ConvPrecision precision) : naming_(naming), precision_(precision) {}

  void name(const ConstView& view, const std::string& parameter) override {
    layers_.add(view, parameter);
  }
  bool before(Device& device, const KernelCall& call) override {
    const std::string layer = layers_.of(call, Phase::any);
    if (!call.convolution()) return true;
    repeated =
        !algorithms.emplace(Call{layer, call.kernel().name}, naming_(device, call, precision_))
             .second ||
        repeated;
    return true;
  }

  std::map<Call, std::string> algorithms;
  bool repeated = false;  // two calls by one name

 private:
  Naming naming_;
  ConvPrecision precision_;
  LayerNames layers_;
};

/// By the pure function, for a GPU that is not there.
std::string chosen_on_h100(const Device&, const KernelCall& call, ConvPrecision precision) {
  KernelContext context;
  context.multiprocessors = 132;
  context.precision = precision;
  return conv_algorithm(context, call.kernel(), *call.convolution());
}

/// As a trace asks.
std::string traced(const Device& device, const KernelCall& call, ConvPrecision) {
  return device.algorithm(call);
}

void run_step(Device& device, const UNetConfig& config, const Shape& images) {
  UNet net(config);
  net.parameters().allocate(device, 1);
  Tape tape(device);
  nn::Pass pass{.tape = tape, .training = true, .seed = 1};
  const Tensor logits = net.forward(pass, Tensor::zeros(device, images));
  const Tensor masks = Tensor::zeros(device, images.with_channels(1));
  tape.backward(ops::iou_loss(tape, logits, masks).loss);
}

bool fits(const Row& row, const Convolutions::Call& call) {
  const std::string_view layer = row.layer, name = call.first;
  if (row.kernel != call.second) return false;
  return layer.starts_with('*') ? name.ends_with(layer.substr(1)) : name == layer;
}

template <std::size_t rows>
void check_rows(const Convolutions& found, const Row (&expected)[rows], std::size_t column) {
  CHECK_FALSE(found.repeated);
  std::vector<int> used(rows);
  for (const auto& [call, algorithm] : found.algorithms) {
    INFO(call.first << " " << call.second);
    std::size_t i = 0;
    while (i < rows && !fits(expected[i], call)) ++i;
    REQUIRE(i < rows);
    ++used[i];
    CHECK(algorithm == expected[i].algorithms[column]);
  }
  for (std::size_t i = 0; i < rows; ++i) {
    INFO("row " << expected[i].layer << " " << expected[i].kernel);
    CHECK(used[i] > 0);
  }
}

/// Two convolutions a block, in three passes, but for the first layer's gradient of the images; a
/// transposed one a level; the head.
std::size_t convolutions_of(std::int64_t depth) {
  return static_cast<std::size_t>(3 * (2 * (2 * depth + 1) + depth + 1) - 1);
}

}  // namespace

TEST_CASE("trace: the kernel of each layer of the default U-Net, in each precision", "[cuda]") {
  const UNetConfig config{.base_width = 64, .depth = 4};
  for (std::size_t i = 0; i < std::size(kPrecisions); ++i) {
    INFO(name_of(kPrecisions[i]));
    PlanDevice device(PlanTarget::gpu(kPrecisions[i]));
    const auto found = std::make_shared<Convolutions>(chosen_on_h100, kPrecisions[i]);
    device.watch(found);
    run_step(device, config, {12, 240, 240, 3});
    CHECK(found->algorithms.size() == convolutions_of(config.depth));
    check_rows(*found, kDefaultNet, i);
  }
}

TEST_CASE("trace: the kernel of each layer of a small U-Net that runs, in each precision",
          "[cuda]") {
  const UNetConfig config{.base_width = 8, .depth = 2};
  for (std::size_t i = 0; i < std::size(kPrecisions); ++i) {
    INFO(name_of(kPrecisions[i]));
    const auto device =
        open_device({.device = "cpu", .backend = "emu", .precision = kPrecisions[i]});
    const auto found = std::make_shared<Convolutions>(traced, kPrecisions[i]);
    const auto trace = std::make_shared<Trace>();
    device->watch(found);
    device->watch(trace);
    run_step(*device, config, {1, 8, 8, 3});
    CHECK(found->algorithms.size() == convolutions_of(config.depth));
    check_rows(*found, kTinyNet, i);
    // The table that --trace prints has these calls and no other convolution.
    std::map<std::pair<std::string, std::string>, std::int64_t> calls, printed;
    for (const auto& [call, algorithm] : found->algorithms) ++calls[{call.second, algorithm}];
    for (const TraceEntry& entry : trace->entries())
      if (entry.algorithm != std::string_view())
        printed[{entry.kernel, entry.algorithm}] = entry.calls;
    CHECK((printed == calls));
  }
}

}  // namespace glia::test
