// A network trains the same whatever is fused: with a pass an operation, with norm, ReLU and
// pooling in one, and with all that the backend can.
#include <cmath>

#include "engine/runtime/launch_log.h"
#include "engine/train/train_step.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"
#include "tests/data/slices.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

constexpr int kSteps = 4;

/// The losses of some steps, and what a network that was trained so far says of the batch.
struct Trained {
  std::vector<double> losses;
  std::vector<float> logits;
  bool captured = false;
  LaunchCounts first;  // what the first step launched
};

Trained train(const DeviceRequest& request,
              const UNetConfig& config = {.base_width = 4, .depth = 2}) {
  const auto device = open_device(request);
  const TestBatch images;
  UNet net(config);
  net.parameters().allocate(*device, 1);
  optim::Optimizer sgd({.kind = optim::Kind::sgd}, net.parameters());
  const Objective objective = Objective::parse("iou+0.5*bce", Region::batch, 1);
  TrainStep step(*device, net, sgd, objective, 3);
  Batch batch = images.batch();
  Trained result;
  for (int i = 0; i < kSteps; ++i) {
    step.upload(batch);
    {
      const LaunchLog log(*device);
      step.start(1e-2);
      if (i == 0) result.first = counts_of(log.names());
    }
    result.losses.push_back(step.finish().loss);
  }
  result.captured = step.captured();
  Tape tape(*device, Tape::Mode::off);
  nn::Pass pass{.tape = tape, .training = false};
  const Tensor x = Tensor::empty(*device, images.shape);
  x.copy_from(images.images);
  result.logits = net.forward(pass, x).to_vector<float>();
  return result;
}

void check_near(const Trained& found, const Trained& expected, double share) {
  for (int i = 0; i < kSteps; ++i)
    CHECK(found.losses[i] == Approx(expected.losses[i]).epsilon(share));
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < expected.logits.size(); ++i) {
    largest = std::max(largest, std::abs(double{expected.logits[i]}));
    apart = std::max(apart, std::abs(double{found.logits[i]} - expected.logits[i]));
  }
  CHECK(largest > 0.1);
  CHECK(apart <= 10 * share * largest);
}

/// Sums round in another order; where operands are rounded too, a little more or less may round one
/// of them by a unit, 2^-11 or 2^-8 of it, whichever way.
double share_of(ConvPrecision precision) {
  if (precision == ConvPrecision::fp32) return 1e-4;
  return precision == ConvPrecision::tf32 ? 0x1p-10 : 0x1p-7;
}

}  // namespace

TEST_CASE("fuse: a network trains alike whatever is fused", "[cuda]") {
  std::vector<DeviceRequest> requests = gpu_devices();
  requests.push_back({.device = "cpu"});
  for (DeviceRequest request : requests)
    for (const auto precision : {ConvPrecision::fp32, ConvPrecision::tf32, ConvPrecision::bf16}) {
      if (request.backend == "cudnn") continue;
      if (request.backend == "native" && precision != ConvPrecision::fp32) continue;
      request.precision = precision;
      INFO(request.backend << " on " << request.device << " in " << name_of(precision));
      request.fuse = Fuse::automatic;
      const Trained all = train(request);
      for (const Fuse fuse : {Fuse::none, Fuse::s1, Fuse::s2}) {
        INFO("fuse " << name_of(fuse));
        request.fuse = fuse;
        check_near(train(request), all, share_of(precision));
      }
    }
}

TEST_CASE("fuse: convolutions that read maps train to the bits of those that do not", "[cuda]") {
  for (DeviceRequest request : gpu_devices()) {
    if (request.backend == "cudnn") continue;
    INFO(request.backend << " on " << request.device);
    request.precision = ConvPrecision::bf16;
    request.conv = ConvMethod::halo;
    const UNetConfig wide{.base_width = 64, .depth = 1};
    request.fuse = Fuse::s2;
    const Trained written = train(request, wide);
    request.fuse = Fuse::s3;
    Trained read = train(request, wide);
    CHECK(read.losses == written.losses);
    CHECK((read.logits == written.logits));
    CHECK(read.captured);
    // The first of two convolutions in encoder, bottleneck and decoder.
    CHECK(read.first["materialise"] == written.first.at("materialise") - 3);
    // And where kernels cannot, they are written down as in s2.
    request.conv = ConvMethod::automatic;
    const UNetConfig narrow{.base_width = 8, .depth = 2};
    const Trained as_s3 = train(request, narrow);
    request.fuse = Fuse::s2;
    const Trained as_s2 = train(request, narrow);
    CHECK(as_s3.losses == as_s2.losses);
    CHECK((as_s3.first == as_s2.first));
  }
}

TEST_CASE("fuse: s3 is refused where no convolution would read maps", "[cuda]") {
  const auto refused = [](DeviceRequest request) {
    request.device = "cpu";
    request.backend = "emu";
    request.fuse = Fuse::s3;
    return error_of([&] { open_device(request); });
  };
  const std::string found = refused({.precision = ConvPrecision::tf32});
  CHECK(
      found ==
      "--fuse s3: convolutions normalise what they read on the CPU with --backend native and on a "
      "GPU (or --backend emu) by patches in bf16, if a block has 162 KiB of shared memory; the "
      "device is emu with --backend emu, in tf32 and with --conv auto; choose --precision bf16, or "
      "--fuse s2");
  // Its advice is followed.
  CHECK(refused({.precision = ConvPrecision::bf16}).empty());
  CHECK_FALSE(refused({.precision = ConvPrecision::fp32}).empty());
  CHECK_FALSE(refused({.conv = ConvMethod::mma, .precision = ConvPrecision::bf16}).empty());
  CHECK(open_device({.device = "cpu", .fuse = Fuse::s3})->kernels().maps == Maps::read);
}

TEST_CASE("fuse: what each leaves of a backend's table", "[cuda]") {
  const auto kernels = [](const char* backend, Fuse fuse) {
    return open_device({.device = "cpu", .backend = backend, .fuse = fuse})->kernels();
  };
  CHECK(kernels("emu", Fuse::automatic).maps_results);
  for (const char* backend : {"emu", "native"}) {
    CHECK(kernels(backend, Fuse::none).maps == Maps::none);
    CHECK(kernels(backend, Fuse::s1).maps == Maps::written);
    CHECK_FALSE(kernels(backend, Fuse::s1).maps_results);
    CHECK_FALSE(kernels(backend, Fuse::s1).gives_moments);
    CHECK(kernels(backend, Fuse::s2).maps == Maps::written);
    CHECK(kernels(backend, Fuse::s2).gives_moments);
  }
  CHECK(kernels("native", Fuse::automatic).maps == Maps::read);
  CHECK(error_of([] {
          open_device({.device = "cpu", .memory = MemoryMode::lean, .fuse = Fuse::none});
        }) ==
        "--memory lean is about activations that are computed while they are read, which --fuse "
        "none writes down; leave one of them out");
  for (const std::string& name : fuse_names()) CHECK(name_of(parse_fuse(name)) == name);
}

}  // namespace glia::test
