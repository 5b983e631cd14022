// One step of each optimizer against its published formula in float64, on flat buffers of awkward
// lengths, in guarded memory and with 1 to 3 threads.
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/base/bf16.h"
#include "engine/base/rng.h"
#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"
#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

using reference::Values;

/// Weights, two moments (an optimizer may use one only) and the gradient.
using Buffers = std::array<Values, 4>;
using Step = std::function<void(Device&, std::span<const Tensor> buffers)>;
/// One element: changes w, m and v in place.
using Formula = std::function<void(double& w, double& m, double& v, double g)>;

/// Weights lie away from 0 and gradients have their sign, so that no sum cancels and errors can be
/// judged relative to each element.
Buffers random_buffers(std::size_t count, bool fresh) {
  Sequence sequence(99, 1);
  Buffers buffers;
  for (std::size_t i = 0; i < count; ++i) {
    const double sign = sequence.chance(0.5) ? 1 : -1;
    const double element[] = {sign * sequence.uniform(0.1, 1), fresh ? 0 : sequence.uniform(-1, 1),
                              fresh ? 0 : sequence.uniform(0.01, 1),
                              sign * sequence.uniform(0.001, 1)};
    for (std::size_t b = 0; b < 4; ++b) buffers[b].push_back(static_cast<float>(element[b]));
  }
  return buffers;
}

/// Of what lies around the shadow, and in it before the step.
constexpr double kUntouched = 7;

/// What a step makes of the buffers, of the word `not_finite` and of the block that the shadow is
/// in.
struct Stepped {
  Buffers buffers;
  double not_finite = 0;
  Values shadow_block{};
  bool operator==(const Stepped&) const = default;
};

/// One step on the kernels, each buffer `offset` elements after the start of a block, and the
/// shadow `shadow_offset`. The word comes after the buffers, and the shadow after that.
Stepped stepped(const KernelTable& kernels, const Stepped& start, const Step& step, int threads,
                std::int64_t offset = 0, std::int64_t shadow_offset = 0) {
  const auto memory = guarded_memory(kernels);
  Stepped result;
  {
    Device device("guarded", kernels, memory, threads);
    std::vector<Tensor> tensors;
    for (const Values& values : start.buffers) {
      const auto count = static_cast<std::int64_t>(values.size());
      tensors.push_back(
          Tensor::empty(device, {offset + count}, kernels.parameters).slice(offset, {count}));
      store(values, tensors.back());
    }
    tensors.push_back(Tensor::empty(device, {1}, DType::i64));
    store({start.not_finite}, tensors.back());
    const auto count = static_cast<std::int64_t>(start.buffers[0].size());
    const Tensor block = Tensor::empty(device, {shadow_offset + count + 9}, DType::bf16);
    store(Values(static_cast<std::size_t>(block.numel()), kUntouched), block);
    tensors.push_back(block.slice(shadow_offset, {count}));
    step(device, tensors);
    for (std::size_t b = 0; b < 4; ++b) result.buffers[b] = load(tensors[b]);
    result.not_finite = load(tensors[4]).front();
    result.shadow_block = load(block);
  }
  CHECK(memory->violations() == 0);
  return result;
}

Buffers stepped(const KernelTable& kernels, const Buffers& start, const Step& step, int threads,
                std::int64_t offset = 0) {
  return stepped(kernels, Stepped{start}, step, threads, offset).buffers;
}

void check_step(const std::string& name, const Step& step, const Formula& formula) {
  for (const KernelTable* kernels : devices_under_test())
    for (std::size_t count : {1, 7, 16, 33, 1000, 70001})
      for (bool fresh : {true, false}) {
        INFO(name << " on " << kernels->name << ", " << count << " elements, "
                  << (fresh ? "moments 0" : "moments in use"));
        const Buffers start = random_buffers(count, fresh);
        Buffers expected = start;
        for (std::size_t i = 0; i < count; ++i)
          formula(expected[0][i], expected[1][i], expected[2][i], expected[3][i]);
        const Buffers found = stepped(*kernels, start, step, 1);
        for (std::size_t b = 0; b < 4; ++b) {
          // Relative to the element, so that a 1 - beta computed in float shows.
          double worst = 0;
          for (std::size_t i = 0; i < count; ++i) {
            const double error = std::abs(found[b][i] - expected[b][i]);
            const double size = std::abs(expected[b][i]) + std::abs(start[b][i]);
            if (error != 0) worst = std::max(worst, error / size);
            if (std::isnan(error)) worst = std::numeric_limits<double>::infinity();
          }
          INFO("buffer " << b << ", relative error " << worst);
          CHECK(worst <= 4 * std::numeric_limits<float>::epsilon());
        }
        for (int threads : is_threaded(*kernels) ? std::vector{1, 2, 3} : std::vector{1})
          CHECK((stepped(*kernels, start, step, threads) == found));
      }
}

/// Step number and learning rate in the device's memory, for the steps below; empty if not `given`.
constexpr std::int64_t kStep = 5;
constexpr double kRate = 0.03;
Tensor progress(Device& device, bool given) {
  if (!given) return {};
  const Tensor tensor = Tensor::empty(device, {2}, DType::f64);
  store({static_cast<double>(kStep), kRate}, tensor);
  return tensor;
}

/// One step of each optimizer whose number and rate are given by `progress`, or else by fields.
/// With `watched` it tells of what is not finite; with `shadowed` it writes the shadow.
std::vector<Step> steps(bool given, bool watched = false, bool shadowed = false) {
  const auto word = [=](const Tensor& not_finite) { return watched ? not_finite : Tensor(); };
  const auto shadow = [=](const Tensor& bf16) { return shadowed ? bf16 : Tensor(); };
  const std::int64_t step = given ? -1 : kStep;
  const double lr = given ? -1 : kRate;
  return {[=](Device& device, std::span<const Tensor> x) {
            glia::run<&KernelTable::adam_step>(device, {.w = x[0],
                                                        .m = x[1],
                                                        .v = x[2],
                                                        .g = x[3],
                                                        .progress = progress(device, given),
                                                        .not_finite = word(x[4]),
                                                        .shadow = shadow(x[5]),
                                                        .step = step,
                                                        .lr = lr,
                                                        .weight_decay = 0.1,
                                                        .decoupled = true});
          },
          [=](Device& device, std::span<const Tensor> x) {
            glia::run<&KernelTable::sgd_step>(device, {.w = x[0],
                                                       .m = x[1],
                                                       .g = x[3],
                                                       .progress = progress(device, given),
                                                       .not_finite = word(x[4]),
                                                       .shadow = shadow(x[5]),
                                                       .lr = lr});
          },
          [=](Device& device, std::span<const Tensor> x) {
            glia::run<&KernelTable::rmsprop_step>(device, {.w = x[0],
                                                           .v = x[2],
                                                           .g = x[3],
                                                           .progress = progress(device, given),
                                                           .not_finite = word(x[4]),
                                                           .shadow = shadow(x[5]),
                                                           .lr = lr});
          }};
}

}  // namespace

TEST_CASE("optimizer steps: progress in memory gives the bits that the fields give", "[ops]") {
  for (const KernelTable* kernels : devices_under_test())
    for (std::size_t optimizer = 0; optimizer < 3; ++optimizer) {
      INFO("optimizer " << optimizer << " on " << kernels->name);
      const Buffers start = random_buffers(1000, false);
      const Buffers expected = stepped(*kernels, start, steps(false)[optimizer], 1);
      CHECK((stepped(*kernels, start, steps(true)[optimizer], 1) == expected));
      CHECK((expected != start));
    }
}

TEST_CASE("optimizer steps: buffers may start anywhere", "[ops]") {
  for (const KernelTable* kernels : devices_under_test())
    for (std::size_t optimizer = 0; optimizer < 3; ++optimizer)
      for (std::size_t count : {1, 5, 1003}) {
        INFO("optimizer " << optimizer << " on " << kernels->name << ", " << count << " elements");
        const Buffers start = random_buffers(count, false);
        const Step step = steps(false)[optimizer];
        CHECK((stepped(*kernels, start, step, 1, 3) == stepped(*kernels, start, step, 1)));
      }
}

TEST_CASE("optimizer steps: the shadow is the new weights in bf16, and nothing else changes",
          "[ops]") {
  struct Offsets {
    std::int64_t buffers, shadow;
  };
  for (const KernelTable* kernels : devices_under_test())
    for (std::size_t optimizer = 0; optimizer < 3; ++optimizer)
      for (std::size_t count : {1, 5, 1003, 20001})
        for (const Offsets offset : {Offsets{0, 0}, {0, 4}, {0, 3}, {3, 0}}) {
          INFO("optimizer " << optimizer << " on " << kernels->name << ", " << count
                            << " elements, offsets " << offset.buffers << " and " << offset.shadow);
          const Stepped start{random_buffers(count, false)};
          const Stepped plain =
              stepped(*kernels, start, steps(false)[optimizer], 2, offset.buffers, offset.shadow);
          const Stepped found = stepped(*kernels, start, steps(false, false, true)[optimizer], 2,
                                        offset.buffers, offset.shadow);
          Stepped expected = plain;
          const Values untouched(plain.shadow_block.size(), kUntouched);
          CHECK((plain.shadow_block == untouched));
          for (std::size_t i = 0; i < count; ++i)
            expected.shadow_block[i + static_cast<std::size_t>(offset.shadow)] =
                to_float(to_bf16(static_cast<float>(plain.buffers[0][i])));
          CHECK((found == expected));
        }
}

TEST_CASE("optimizer steps: a weight that is NaN is one in the shadow too", "[ops]") {
  for (const KernelTable* kernels : devices_under_test())
    for (std::size_t optimizer = 0; optimizer < 3; ++optimizer)
      for (std::size_t place : {0, 6}) {
        Stepped start{random_buffers(7, false)};
        start.buffers[3][place] = std::numeric_limits<double>::quiet_NaN();
        const Stepped found = stepped(*kernels, start, steps(false, true, true)[optimizer], 1);
        for (std::size_t i = 0; i < 7; ++i)
          CHECK(std::isnan(found.shadow_block[i]) == (i == place));
        CHECK(found.not_finite == 1);
      }
}

TEST_CASE("optimizer steps: one word tells of values that are not finite", "[ops]") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kLarge = 3e38F;  // with itself, as a square or a sum, more than a float
  for (const KernelTable* kernels : devices_under_test())
    for (std::size_t optimizer = 0; optimizer < 3; ++optimizer)
      for (std::size_t count : {1, 5, 1003, 20001}) {
        INFO("optimizer " << optimizer << " on " << kernels->name << ", " << count << " elements");
        const Step plain = steps(false)[optimizer], watched = steps(false, true)[optimizer];
        const Buffers start = random_buffers(count, false);
        // Whether or not somebody asks, the step is the same; the word is left as it was.
        const Stepped sound = stepped(*kernels, Stepped{start, 0}, watched, 2);
        CHECK((sound == stepped(*kernels, Stepped{start, 0}, plain, 2)));
        CHECK(sound.not_finite == 0);
        CHECK(stepped(*kernels, Stepped{start, 1}, watched, 2).not_finite == 1);
        for (const float value : {kNan, kInfinity, -kInfinity, kLarge})
          for (const std::size_t place : {std::size_t{0}, count / 2, count - 1}) {
            INFO(value << " at " << place);
            Buffers spoilt = start;
            spoilt[3][place] = value;
            if (value == kLarge) spoilt[1][place] = value;  // the gradient as before
            for (const std::int64_t offset : {0, 3}) {
              CHECK(stepped(*kernels, Stepped{spoilt, 0}, watched, 2, offset).not_finite == 1);
              CHECK(stepped(*kernels, Stepped{spoilt, 0}, plain, 2, offset).not_finite == 0);
            }
          }
      }
}

TEST_CASE("adam_step", "[ops]") {
  const double lr = 0.01, b1 = 0.9, b2 = 0.999, epsilon = 1e-8;
  for (std::int64_t t : {1, 2, 1000})
    for (double decay : {0.0, 0.1})
      for (bool decoupled : {false, true})
        check_step(
            fmt::format("step {}, weight decay {}, decoupled {}", t, decay, decoupled),
            [=](Device& device, std::span<const Tensor> x) {
              glia::run<&KernelTable::adam_step>(device, {.w = x[0],
                                                          .m = x[1],
                                                          .v = x[2],
                                                          .g = x[3],
                                                          .step = t,
                                                          .lr = lr,
                                                          .beta1 = b1,
                                                          .beta2 = b2,
                                                          .epsilon = epsilon,
                                                          .weight_decay = decay,
                                                          .decoupled = decoupled});
            },
            [=](double& w, double& m, double& v, double g) {
              if (decoupled)
                w -= lr * decay * w;
              else
                g += decay * w;
              m = b1 * m + (1 - b1) * g;
              v = b2 * v + (1 - b2) * g * g;
              const double time = static_cast<double>(t);
              const double m_hat = m / (1 - std::pow(b1, time));
              const double v_hat = v / (1 - std::pow(b2, time));
              w -= lr * m_hat / (std::sqrt(v_hat) + epsilon);
            });
}

TEST_CASE("sgd_step", "[ops]") {
  const double lr = 0.05;
  for (double momentum : {0.0, 0.9})
    for (double decay : {0.0, 0.1})
      for (bool nesterov : {false, true})
        check_step(
            fmt::format("momentum {}, weight decay {}, nesterov {}", momentum, decay, nesterov),
            [=](Device& device, std::span<const Tensor> x) {
              glia::run<&KernelTable::sgd_step>(device, {.w = x[0],
                                                         .m = x[1],
                                                         .g = x[3],
                                                         .lr = lr,
                                                         .momentum = momentum,
                                                         .weight_decay = decay,
                                                         .nesterov = nesterov});
            },
            [=](double& w, double& m, double&, double g) {
              g += decay * w;
              m = momentum * m + g;
              w -= lr * (nesterov ? g + momentum * m : m);
            });
}

TEST_CASE("rmsprop_step", "[ops]") {
  const double lr = 0.01, alpha = 0.99, epsilon = 1e-8;
  for (double decay : {0.0, 0.1})
    check_step(
        fmt::format("weight decay {}", decay),
        [=](Device& device, std::span<const Tensor> x) {
          glia::run<&KernelTable::rmsprop_step>(device, {.w = x[0],
                                                         .v = x[2],
                                                         .g = x[3],
                                                         .lr = lr,
                                                         .alpha = alpha,
                                                         .epsilon = epsilon,
                                                         .weight_decay = decay});
        },
        [=](double& w, double&, double& v, double g) {
          g += decay * w;
          v = alpha * v + (1 - alpha) * g * g;
          w -= lr * g / (std::sqrt(v) + epsilon);
        });
}

}  // namespace glia::test
