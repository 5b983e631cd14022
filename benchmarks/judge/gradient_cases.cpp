#include "benchmarks/judge/gradient_cases.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "benchmarks/cases/convolutions.h"
#include "engine/base/check.h"
#include "engine/ops/ops.h"

namespace glia::test {

namespace {

using cases::Case;
using cases::Dimensions;
using cases::Fill;
using cases::Values;

/// Rows, columns and channels differ, and so do input and output channels.
Dimensions dimensions_of(std::string_view op) {
  Dimensions d{.shape = {2, 5, 6, 3}, .R = 3, .S = 3, .K = 4, .padding = 1};
  if (op == "conv_transpose2d") d.stride_h = d.stride_w = 2;
  if (op == "group_norm") {
    d.shape = {2, 3, 5, 6};
    d.groups = 2;
  }
  return d;
}

std::vector<std::string> input_names(std::string_view op) {
  if (op.starts_with("conv")) return {"input", "weight", "bias"};
  if (op.find("_norm") != std::string_view::npos) return {"input", "gamma", "beta"};
  if (op.find("loss") != std::string_view::npos || op.starts_with("bce")) return {"logits"};
  if (op == "add" || op == "mul") return {"a", "b"};
  if (op == "concat") return {"part 1", "part 2"};
  return {"input"};
}

/// Multiples of a quarter, many of them 0 and most of them more than once: kinks and ties.
Values coarse(const Shape& shape) {
  Values values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(0.25 * static_cast<double>(i * 7 % 5 - 2));
  return values;
}

/// A tensor that is pooled and enlarged again, and joined with itself: its gradient is the sum of
/// what comes through the pooling and what comes past it.
GradientCase skip() {
  const Shape x{2, 4, 6, 3}, w{3, 3, 3, 6};
  Case test{.op = "composite",
            .text = fmt::format("x {}, skipped and pooled, joined, then w {}", x.str(), w.str()),
            .inputs = {{.shape = x, .fill = Fill::spaced, .length = 31},
                       {.shape = w, .grad = false, .image = false}},
            .build =
                [](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                  const Tensor joined =
                      Tensor::empty(tape.device(), in[0].shape().with_channels(6), in[0].dtype());
                  const Tensor skipped = ops::scale(tape, in[0], 1, joined.channels(0, 3));
                  const Tensor pooled = ops::max_pool2d(tape, skipped);
                  const Tensor up = ops::upsample_nearest2d(tape, pooled, 2, joined.channels(3, 3));
                  const Tensor both[] = {skipped, up};
                  return ops::conv2d(tape, ops::concat(tape, both), in[1], {}, cases::same(3, 3),
                                     out);
                },
            .length = 55,
            .takes_out = true};
  return {"concat", "skip", {"input"}, std::move(test), "skip + max_pool2d_backward"};
}

/// "training" of "batch_norm.training".
std::string mode_of(const Case& test) {
  const auto dot = test.name.find('.');
  return dot == std::string::npos ? "" : test.name.substr(dot + 1);
}

bool has_gradient(const Case& test) {
  return std::any_of(test.inputs.begin(), test.inputs.end(),
                     [](const cases::Input& input) { return input.grad; });
}

void add(std::vector<GradientCase>& all, const std::string& op, std::string mode, Case test) {
  if (has_gradient(test))
    all.push_back({op, std::move(mode), input_names(op), std::move(test), ""});
}

void add_operation(std::vector<GradientCase>& all, const std::string& op) {
  Dimensions d = dimensions_of(op);
  for (const Case& test : cases::at(op, d)) add(all, op, mode_of(test), test);
  if (op == "conv2d") {
    all.back().mode = "stride 1";
    d.stride_h = d.stride_w = 2;
    add(all, op, "stride 2", cases::at(op, d).front());
  }
  if (op == "relu" || op == "max_pool2d") {
    Case test = all.back().test;
    test.inputs[0].fill = Fill::uniform;
    test.inputs[0].values = coarse(test.inputs[0].shape);
    test.text += op == "relu" ? ", with zeros" : ", with ties";
    add(all, op, op == "relu" ? "kinks" : "ties", test);
  }
}

}  // namespace

std::vector<GradientCase> gradient_cases() {
  std::vector<GradientCase> all;
  for (const cases::Operation& operation : cases::operations())
    if (operation.at != nullptr) add_operation(all, operation.name);
  add(all, "mean", "", cases::find("mean.shapes.2").front());
  add(all, "concat", "", cases::find("concat.channels.2").front());
  all.back().pass = "a slice of dy";
  all.push_back(skip());
  return all;
}

std::vector<GradientCase> gradient_cases(std::span<const std::string> ops) {
  std::vector<GradientCase> all = gradient_cases();
  if (ops.empty()) return all;
  std::vector<std::string> names;
  for (const GradientCase& one : all)
    if (names.empty() || names.back() != one.op) names.push_back(one.op);
  for (const std::string& op : ops) {
    if (std::find(names.begin(), names.end(), op) != names.end()) continue;
    const auto known = cases::operations();
    check(std::none_of(known.begin(), known.end(),
                       [&](const auto& operation) { return operation.name == op; }),
          "gradcheck: {} has no gradient to check; those that have: {}", op,
          fmt::join(names, ", "));
    fail("gradcheck: found no operation '{}', expected some of {}", op, fmt::join(names, ", "));
  }
  std::erase_if(all, [&](const GradientCase& one) {
    return std::find(ops.begin(), ops.end(), one.op) == ops.end();
  });
  return all;
}

}  // namespace glia::test
