// batch_norm_relu and materialise with activations in bf16, beside their definitions in double: a
// difference of the definition, which cases of operations are checked by, would step over where the
// ReLU bends, and in bf16 many elements lie there.
#include <cmath>

#include "engine/base/rng.h"
#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"
#include "tests/ops/op_case.h"
#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

constexpr double kUnit = 0x1p-8;  // of a number, as it is rounded to bf16

Tensor random_tensor(Device& device, Sequence& random, const Shape& shape, DType type,
                     double low = -1, double high = 1) {
  Values values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(random.uniform(low, high));
  Tensor tensor = Tensor::empty(device, shape, type);
  store(values, tensor);
  return tensor;
}

/// A norm with its operands, drawn anew.
struct Norm {
  Tensor x, dy, gamma, beta, mean, var;

  Norm(Device& device, const Shape& shape) {
    Sequence random(1, 3);
    const Shape channels{shape.channels()};
    x = random_tensor(device, random, shape, DType::bf16);
    dy = random_tensor(device, random, shape, DType::bf16);
    gamma = random_tensor(device, random, channels, DType::f32, 0.5, 2);
    beta = random_tensor(device, random, channels, DType::f32);
    mean = random_tensor(device, random, channels, DType::f32);
    var = random_tensor(device, random, channels, DType::f32, 0.5, 2);
    for (Tensor* tensor : {&x, &gamma, &beta}) tensor->set_wants_grad(true);
  }
  Tensor deferred(Tape& tape, bool training) const {
    return ops::batch_norm_relu(tape, {.y = x}, gamma, beta,
                                {.running_mean = mean, .running_var = var}, training);
  }
};

/// What the definition makes of channel c of a norm that has not run yet.
struct Truth {
  std::vector<double> y, dx;
  double dgamma = 0, dbeta = 0, running_mean, running_var;

  Truth(const Norm& norm, std::size_t c, bool training) {
    const Values x = load(norm.x), dy = load(norm.dy);
    const double gamma = load(norm.gamma)[c], beta = load(norm.beta)[c];
    running_mean = load(norm.mean)[c], running_var = load(norm.var)[c];
    const auto channels = static_cast<std::size_t>(norm.x.shape().channels());
    const std::size_t rows = x.size() / channels;
    const auto count = static_cast<double>(rows);
    double mean = running_mean, var = running_var;
    if (training) {
      mean = var = 0;
      for (std::size_t r = 0; r < rows; ++r) mean += x[r * channels + c] / count;
      for (std::size_t r = 0; r < rows; ++r) var += std::pow(x[r * channels + c] - mean, 2) / count;
      running_mean = 0.9 * running_mean + 0.1 * mean;
      running_var = 0.9 * running_var + 0.1 * var * count / (count - 1);
    }
    const double rho = 1 / std::sqrt(var + 1e-5);
    std::vector<double> xhat, dz;
    for (std::size_t r = 0; r < rows; ++r) {
      xhat.push_back((x[r * channels + c] - mean) * rho);
      const double affine = gamma * xhat[r] + beta;
      y.push_back(std::max(affine, 0.0));
      dz.push_back(affine > 0 ? dy[r * channels + c] : 0);
      dgamma += dz[r] * xhat[r], dbeta += dz[r];
    }
    for (std::size_t r = 0; r < rows; ++r)
      dx.push_back(gamma * rho * (dz[r] - (training ? (dbeta + xhat[r] * dgamma) / count : 0.0)));
  }
};

}  // namespace

TEST_CASE("bf16 on GPUs: batch_norm_relu, materialised", "[ops]") {
  on_each_device_in_bf16([](Device& device) {
    for (const bool training : {true, false})
      for (const Shape& shape :
           {Shape{2, 3, 5, 3}, Shape{2, 33, 31, 16}, Shape{1, 7, 3, 40}, Shape{3, 5, 4, 17}}) {
        CAPTURE(training, shape.str());
        const Norm norm(device, shape);
        std::vector<Truth> truths;
        const auto channels = static_cast<std::size_t>(shape.channels());
        for (std::size_t c = 0; c < channels; ++c) truths.emplace_back(norm, c, training);
        Tape tape(device);
        const Tensor result = ops::materialise(tape, norm.deferred(tape, training));
        tape.backward(result, norm.dy);
        const Values y = load(result), dx = load(norm.x.grad());
        const Values dgamma = load(norm.gamma.grad()), dbeta = load(norm.beta.grad());
        const Values mean = load(norm.mean), var = load(norm.var);
        for (std::size_t c = 0; c < channels; ++c) {
          const Truth& truth = truths[c];
          const auto rows = static_cast<double>(truth.y.size());
          CHECK(dbeta[c] == Approx(truth.dbeta).margin(1e-6 * rows));
          CHECK(dgamma[c] == Approx(truth.dgamma).margin(1e-6 * rows));
          CHECK(mean[c] == Approx(truth.running_mean).margin(1e-6));
          CHECK(var[c] == Approx(truth.running_var).margin(1e-6));
          for (std::size_t r = 0; r < truth.y.size(); ++r) {
            const std::size_t at = r * channels + c;
            REQUIRE(std::abs(y[at] - truth.y[r]) <= kUnit * truth.y[r] + 2e-6);
            REQUIRE(std::abs(dx[at] - truth.dx[r]) <= kUnit * std::abs(truth.dx[r]) + 2e-6);
          }
        }
      }
  });
}

TEST_CASE("bf16 on GPUs: materialise_pool gives the bits of materialise and max_pool2d", "[ops]") {
  on_each_device_in_bf16([](Device& device) {
    for (const Shape& shape : {Shape{2, 6, 8, 16}, Shape{1, 7, 5, 3}, Shape{2, 33, 30, 24}}) {
      CAPTURE(shape.str());
      const auto run = [&](bool fused) {
        const Norm norm(device, shape);
        Tape tape(device);
        const Tensor deferred = norm.deferred(tape, true);
        ops::Pooled both;
        if (fused) {
          both = ops::materialise_pool(tape, deferred);
        } else {
          both.y = ops::materialise(tape, deferred);
          both.pooled = ops::max_pool2d(tape, both.y);
        }
        Sequence random(1, 5);
        tape.backward(both.pooled, random_tensor(device, random, both.pooled.shape(), DType::bf16));
        return std::vector<Values>{load(both.y), load(both.pooled), load(norm.x.grad())};
      };
      CHECK(run(true) == run(false));
    }
  });
}

}  // namespace glia::test
