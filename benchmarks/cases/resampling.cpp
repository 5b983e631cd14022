// max_pool2d and upsample_nearest2d.
#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

Case max_pool2d_case(const Shape& x, std::int64_t window, std::int64_t stride) {
  const PoolGeometry g = max_pool2d_geometry(x, window, stride);
  // Overlapping windows share maxima.
  return {.op = "max_pool2d",
          .text = fmt::format("{}, window {}, stride {}", x.str(), window, stride),
          .inputs = {{.shape = x,
                      .fill = Fill::spaced,
                      .length = static_cast<double>(window * window),
                      .min_nonzero =
                          0.3 * static_cast<double>(g.P * g.Q) / static_cast<double>(g.H * g.W)}},
          .build =
              [window, stride](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                return ops::max_pool2d(tape, in[0], window, stride, out);
              },
          .takes_out = true,
          .samples = 600};
}

std::vector<Case> max_pool2d_windows() {
  return {
      max_pool2d_case({1, 2, 2, 1}, 2, 2),   max_pool2d_case({2, 6, 4, 3}, 2, 2),
      max_pool2d_case({1, 7, 5, 16}, 2, 2),  max_pool2d_case({2, 4, 7, 17}, 2, 2),
      max_pool2d_case({1, 9, 8, 3}, 3, 3),   max_pool2d_case({1, 9, 8, 5}, 3, 2),
      max_pool2d_case({1, 6, 7, 3}, 3, 1),   max_pool2d_case({1, 7, 8, 3}, 2, 3),
      max_pool2d_case({2, 16, 33, 5}, 2, 2), max_pool2d_case({1, 17, 16, 2}, 16, 1),
      max_pool2d_case({1, 3, 4, 2}, 1, 1),
  };
}

std::vector<Case> max_pool2d_at(const Dimensions& d) {
  check(d.stride_h == d.stride_w, "max_pool2d: found stride {}x{}, expected the same both ways",
        d.stride_h, d.stride_w);
  return {max_pool2d_case(d.shape, d.window, d.stride_h > 0 ? d.stride_h : d.window)};
}

Case upsample_case(const Shape& x, std::int64_t factor) {
  return {.op = "upsample_nearest2d",
          .text = fmt::format("{} times {}", x.str(), factor),
          .inputs = {{.shape = x, .linear = true, .length = static_cast<double>(factor * factor)}},
          .build =
              [factor](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                return ops::upsample_nearest2d(tape, in[0], factor, out);
              },
          .takes_out = true};
}

std::vector<Case> upsample_factors() {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 3}, Shape{1, 4, 3, 16},
                         Shape{3, 2, 4, 17}, Shape{2, 17, 18, 16}})
    for (std::int64_t factor : {1, 2, 3}) cases.push_back(upsample_case(x, factor));
  return cases;
}

}  // namespace

Operation max_pool2d_operation() {
  return {.name = "max_pool2d",
          .takes = {Dimension::window, Dimension::stride},
          .at = max_pool2d_at,
          .groups = {{"windows", "windows and strides, overlapping ones too", max_pool2d_windows}}};
}

Operation upsample_nearest2d_operation() {
  return {.name = "upsample_nearest2d",
          .takes = {Dimension::factor},
          .at = [](const Dimensions& d) { return std::vector{upsample_case(d.shape, d.factor)}; },
          .groups = {{"factors", "images of all kinds, once to three times", upsample_factors}}};
}

}  // namespace glia::cases
