// group_norm from one group (layer norm) to one a channel (instance norm).
#include <cmath>

#include "benchmarks/cases/operation.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

Case group_norm_case(const Shape& x, std::int64_t groups, double centre = 0, double spread = 1) {
  const std::int64_t c = x.channels();
  const auto rows = static_cast<double>(x.numel() / c);
  const double group = static_cast<double>(x.numel() / (x[0] * groups));
  return {
      .op = "group_norm",
      .text = fmt::format("x {} in {} +- {}, {} groups", x.str(), centre, spread, groups),
      .inputs =
          {{.shape = x, .low = centre - spread, .high = centre + spread, .length = group},
           {.shape = {c}, .low = 0.5, .high = 2, .image = false, .linear = true, .length = rows},
           {.shape = {c}, .image = false, .linear = true, .length = rows}},
      .build =
          [groups](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
            return ops::group_norm(tape, in[0], in[1], in[2], groups, 1e-5, out);
          },
      .length = group,
      .condition = 1 + std::abs(centre) / spread,
      .takes_out = true};
}

std::vector<Case> group_norm_shapes() {
  return {
      group_norm_case({1, 2, 2, 1}, 1),    group_norm_case({2, 3, 5, 6}, 1),
      group_norm_case({2, 3, 5, 6}, 2),    group_norm_case({2, 3, 5, 6}, 6),
      group_norm_case({3, 4, 3, 17}, 1),   group_norm_case({1, 3, 4, 48}, 8),
      group_norm_case({2, 31, 30, 16}, 4), group_norm_case({2, 4, 5, 4}, 2, 1000, 0.5),
  };
}

std::vector<Case> group_norm_operands() {
  std::vector<Case> cases;
  for (bool image : {true, false}) {
    Case& test = cases.emplace_back(group_norm_case({2, 4, 5, 6}, 3));
    test.inputs[0].grad = image;
    test.inputs[1].grad = test.inputs[2].grad = !image;
  }
  return cases;
}

std::vector<Case> group_norm_at(const Dimensions& d) {
  return {group_norm_case(d.shape, d.groups)};
}

}  // namespace

Operation group_norm_operation() {
  return {.name = "group_norm",
          .takes = {Dimension::groups},
          .at = group_norm_at,
          .groups = {{"shapes", "from one group to one a channel", group_norm_shapes},
                     {"operands", "gradients of only the image or only the parameters",
                      group_norm_operands}}};
}

}  // namespace glia::cases
