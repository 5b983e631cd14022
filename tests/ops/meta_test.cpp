// Who checks the checker: kernels that are wrong in one way each, every one of which `examine` must
// reject by the check that is there for it.
#include <algorithm>

#include "engine/ops/ops.h"
#include "kernels/cpu/table.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"
#include "benchmarks/reference/values.h"

namespace glia::test {

namespace {

/// What a wrong kernel does to a right gradient of `shape`.
using Change = void (*)(Values& gradient, const Shape& shape);

void keep(Values&, const Shape&) {}
void negate(Values& gradient, const Shape&) {
  for (double& g : gradient) g = -g;
}
void forget(Values& gradient, const Shape&) {
  for (double& g : gradient) g = 0;
}
void double_it(Values& gradient, const Shape&) {
  for (double& g : gradient) g *= 2;
}
void blur_a_little(Values& gradient, const Shape&) {
  for (double& g : gradient) g *= 1 + 2e-5;
}
void drop_last_channel(Values& gradient, const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape.channels());
  for (std::size_t i = channels - 1; i < gradient.size(); i += channels) gradient[i] = 0;
}
void drop_last_element(Values& gradient, const Shape&) {
  gradient.back() = 0;
}
/// Exchanges rows and columns, which are of the same number.
void transpose(Values& gradient, const Shape& shape) {
  const Values right = gradient;
  const auto c = static_cast<std::size_t>(shape[3]), s = static_cast<std::size_t>(shape[2]);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const std::size_t image = i / (s * s * c), row = i / (s * c) % s, column = i / c % s;
    gradient[i] = right[((image * s + column) * s + row) * c + i % c];
  }
}

enum class Writes { as_asked, always_overwrites, always_accumulates };

/// The CPU's kernel with its gradient changed, or written in another way than asked.
template <class Args, Kernel<Args> KernelTable::*entry, View Args::*result, Change change,
          Writes writes = Writes::as_asked>
void wrong(KernelContext& context, const Args& args) {
  const View& target = args.*result;
  std::vector<float> memory(static_cast<std::size_t>(target.shape.numel()));
  Args private_args = args;
  (private_args.*result).data = memory.data();
  (private_args.*result).pitch = target.channels();
  private_args.write = Write::overwrite;
  (cpu::table().*entry)(context, private_args);
  Values gradient = reference::load(private_args.*result);
  change(gradient, target.shape);
  reference::store(gradient, target,
                   writes == Writes::as_asked            ? args.write
                   : writes == Writes::always_overwrites ? Write::overwrite
                                                         : Write::accumulate);
}

void relu_spills(KernelContext& context, const ReluForward& args) {
  cpu::table().relu_forward(context, args);
  args.y.as<float>()[(args.y.rows() - 1) * args.y.pitch + args.y.channels()] = 1;
}
void relu_skips_last(KernelContext& context, const ReluForward& args) {
  const std::int64_t last = (args.y.rows() - 1) * args.y.pitch + args.y.channels() - 1;
  const float before = args.y.as<float>()[last];
  cpu::table().relu_forward(context, args);
  args.y.as<float>()[last] = before;
}
void relu_depends_on_threads(KernelContext& context, const ReluForward& args) {
  cpu::table().relu_forward(context, args);
  float& first = *args.y.as<float>();
  if (context.threads == 3) first = std::nextafter(first, 10.0f);
}
/// Treats a channel slice as if it were dense.
void relu_ignores_pitch(KernelContext& context, const ReluForward& args) {
  ReluForward dense = args;
  dense.x.pitch = dense.y.pitch = args.y.channels();
  cpu::table().relu_forward(context, dense);
}
void relu_leaks(KernelContext& context, const ReluForward& args) {
  cpu::table().relu_forward(context, args);
  for (std::int64_t row = 0; row < args.y.rows(); ++row)
    for (std::int64_t c = 0; c < args.y.channels(); ++c) {
      float& y = args.y.as<float>()[row * args.y.pitch + c];
      if (y == 0) y = 0.01f * args.x.as<float>()[row * args.x.pitch + c];
    }
}

Case relu_case() {
  return {.op = "relu",
          .text = "meta",
          .inputs = {{.shape = {2, 3, 5, 3}, .fill = Fill::off_zero, .min_nonzero = 0.2}},
          .build = [](Tape& tape, std::span<const Tensor> in,
                      const Tensor& out) { return ops::relu(tape, in[0], out); },
          .takes_out = true};
}

Case conv_case() {
  return {.op = "conv2d",
          .text = "meta",
          .inputs = {{.shape = {2, 5, 5, 3}, .linear = true, .length = 36},
                     {.shape = {4, 3, 3, 3}, .image = false, .linear = true, .length = 50},
                     {.shape = {4}, .image = false, .linear = true, .length = 50}},
          .build =
              [](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                return ops::conv2d(tape, in[0], in[1], in[2], {.padding = Padding::all(1)}, out);
              },
          .length = 28,
          .takes_out = true};
}

Case dead_relu_case() {
  Case test = relu_case();
  test.inputs[0].values = Values(90, -1);
  return test;
}

/// Whether a failure starts with `check`.
bool rejected_by(const Report& report, const std::string& check) {
  return std::any_of(report.failures.begin(), report.failures.end(),
                     [&](const std::string& text) { return text.rfind(check, 0) == 0; });
}

template <auto entry, class Wrong>
void expect_rejection(const Case& test, Wrong kernel, const std::string& check) {
  KernelTable kernels = cpu::table();
  kernels.*entry = kernel;
  const Report report = examine(test, kernels);
  INFO("expected a failure of '" << check << "', found:\n"
                                 << fmt::format("{}", fmt::join(report.failures, "\n")));
  CHECK(rejected_by(report, check));
}

template <Change change, Writes writes = Writes::as_asked>
constexpr auto kWrongRelu =
    wrong<ReluBackward, &KernelTable::relu_backward, &ReluBackward::dx, change, writes>;
template <Change change, Writes writes = Writes::as_asked>
constexpr auto kWrongDgrad =
    wrong<Conv2dDgrad, &KernelTable::conv2d_dgrad, &Conv2dDgrad::dx, change, writes>;
template <Change change, Writes writes = Writes::as_asked>
constexpr auto kWrongWgrad =
    wrong<Conv2dWgrad, &KernelTable::conv2d_wgrad, &Conv2dWgrad::dw, change, writes>;

}  // namespace

TEST_CASE("the checker accepts right kernels", "[ops][meta]") {
  for (const Case& test : {relu_case(), conv_case()})
    CHECK(examine(test, cpu::table()).failures == std::vector<std::string>{});
}

TEST_CASE("the checker rejects wrong gradients of relu", "[ops][meta]") {
  const auto reject = [](Kernel<ReluBackward> kernel, const std::string& check) {
    expect_rejection<&KernelTable::relu_backward>(relu_case(), kernel, check);
  };
  reject(kWrongRelu<negate>, "gradient 0");
  reject(kWrongRelu<forget>, "gradient 0");
  reject(kWrongRelu<double_it>, "gradient 0");
  reject(kWrongRelu<blur_a_little>, "gradient 0");
  reject(kWrongRelu<drop_last_channel>, "directional derivative 0");
  reject(kWrongRelu<keep, Writes::always_overwrites>, "accumulate 0");
  reject(kWrongRelu<keep, Writes::always_accumulates>, "gradient 0");
}

TEST_CASE("the checker rejects wrong gradients of conv2d", "[ops][meta]") {
  const auto reject_x = [](Kernel<Conv2dDgrad> kernel, const std::string& check) {
    expect_rejection<&KernelTable::conv2d_dgrad>(conv_case(), kernel, check);
  };
  const auto reject_w = [](Kernel<Conv2dWgrad> kernel, const std::string& check) {
    expect_rejection<&KernelTable::conv2d_wgrad>(conv_case(), kernel, check);
  };
  for (const char* check : {"gradient 0", "directional derivative 0", "adjoint in 0"}) {
    reject_x(kWrongDgrad<negate>, check);
    reject_x(kWrongDgrad<forget>, check);
    reject_x(kWrongDgrad<double_it>, check);
    reject_x(kWrongDgrad<transpose>, check);
  }
  reject_x(kWrongDgrad<blur_a_little>, "gradient 0");
  reject_x(kWrongDgrad<drop_last_channel>, "adjoint in 0");
  reject_x(kWrongDgrad<drop_last_element>, "gradient 0");
  reject_x(kWrongDgrad<keep, Writes::always_overwrites>, "accumulate 0");
  reject_x(kWrongDgrad<keep, Writes::always_accumulates>, "gradient 0");
  for (const char* check : {"gradient 1", "directional derivative 1", "adjoint in 1"}) {
    reject_w(kWrongWgrad<negate>, check);
    reject_w(kWrongWgrad<forget>, check);
    reject_w(kWrongWgrad<double_it>, check);
    reject_w(kWrongWgrad<transpose>, check);
  }
  reject_w(kWrongWgrad<blur_a_little>, "gradient 1");
  reject_w(kWrongWgrad<drop_last_channel>, "adjoint in 1");
  reject_w(kWrongWgrad<keep, Writes::always_overwrites>, "accumulate 1");
  reject_w(kWrongWgrad<keep, Writes::always_accumulates>, "gradient 1");
}

TEST_CASE("the checker rejects wrong results", "[ops][meta]") {
  const auto reject = [](Kernel<ReluForward> kernel, const std::string& check) {
    expect_rejection<&KernelTable::relu_forward>(relu_case(), kernel, check);
  };
  reject(relu_leaks, "forward");
  reject(relu_skips_last, "forward");
  reject(relu_spills, "dense: memory around a tensor was overwritten");
  reject(relu_spills, "slices: channels beside a slice were overwritten");
  reject(relu_ignores_pitch, "slices");
  reject(relu_depends_on_threads, "repeat: other bits in a second run with 3 threads");
  reject(nullptr, "threw: unsupported: the backend 'cpu' has no kernel relu_forward");
}

TEST_CASE("the checker rejects a case whose gradients are all zero", "[ops][meta]") {
  const Report report = examine(dead_relu_case(), cpu::table());
  CHECK(rejected_by(report, "gradient 0: only 0 of 16 sampled gradients are not zero"));
}

TEST_CASE("the checker rejects an operation without a tolerance", "[ops][meta]") {
  Case test = relu_case();
  test.op = "unknown";
  CHECK(examine(test, cpu::table()).failures ==
        std::vector<std::string>{"threw: benchmarks/judge/tolerance.h: no row for 'unknown'"});
}

}  // namespace glia::test
