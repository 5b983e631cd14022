// How far a result may lie from the float64 reference: the only place where this is decided.
//
//   bound = c * epsilon * sqrt(length) * condition * max(largest |reference| in the tensor, floor)
//
// epsilon is that of the backend's type (2^-23 for f32) and `length` the number of terms summed
// into one element: rounding errors of a sum behave like a random walk, hence the root. `condition`
// is by how much the operation amplifies errors of its operands (|mean| / deviation for a
// normalisation), and `floor` the size of intermediate results that cancel (an IoU near 1, whose
// logarithm is near 0); both are 1 and 0 unless a case says why not.
//
// c counts the roundings a term. It follows from the formula, not from what a kernel happens to
// reach: 0 where no arithmetic is done, 1 for one rounding and the sum of products, 4 where an
// exponential, a logarithm or a quotient of sums is in the chain.
//
// Winograd's convolution multiplies transformed pixels by transformed weights and adds up products
// that are larger than the result. With the matrices B^T, G and A^T of docs/ops/conv2d.md, and
// pixels and weights that are independent with variance 1, the product at frequency (i, j) has the
// standard deviation |b_i||g_i||b_j||g_j| a channel, and output (p, q) takes it a_pi a_qj times. If
// each product is off by a fixed share of its size, the output is off by the root of the sum of
// squares over (i, j), which factors into one sum for p and one for q. Divided by the deviation of
// the result itself, 3 a channel, that is at most
//   forward, dgrad  max_p sum_i (a_pi |b_i| |g_i|)^2 / 3 = 7.13
//   wgrad           max_r sum_i (g_ir |b_i| |a_i|)^2 / 4 = 5.84
// (16 products of an element for wgrad, hence 4). c is 1: a term passes seven roundings, two of
// each of three transforms and its product, and their deviation is sqrt(7 / 12) epsilon.
//
// Tensor cores bring the terms of a step to the exponent of the largest and cut off what lies below
// its last bit, where a rounding would go to the nearest: a deviation of sqrt(1/3) of that bit and
// not of sqrt(1/12), hence the condition of 2 for their sums.
//
// What is stored in bf16 is rounded once more, by half a unit of its own: 2^-8 of each element.
// `saved` is for gradients that are computed from the stored result: by how many roundings of the
// largest gradient they may be off for that. sigmoid: where y is off by 2^-8 y, dy y (1 - y)
// is by dy (1 - 2y) times that, so at most by 2^-8 dy, and the largest y (1 - y) is 1/4: 4.
#pragma once

#include <string_view>

namespace glia::test {

struct Tolerance {
  std::string_view op;
  double forward, gradient, saved = 0;
};

inline constexpr double kWinogradCondition = 7.13, kTruncationCondition = 2;

inline constexpr Tolerance kTolerances[] = {
    {"conv2d", 1, 1},
    {"conv2d_winograd", 1, 1},
    {"conv_transpose2d", 1, 1},
    {"batch_norm", 4, 4},
    {"batch_norm_relu", 4, 4},
    {"group_norm", 4, 4},
    {"relu", 0, 1},
    {"sigmoid", 4, 4, 4},
    {"dropout", 1, 1},
    {"max_pool2d", 0, 1},
    {"upsample_nearest2d", 0, 1},
    {"concat", 0, 1},
    {"add", 1, 1},
    {"mul", 1, 1},
    {"scale", 1, 1},
    {"sum", 1, 1},
    {"mean", 1, 1},
    {"fold", 1, 1},
    {"iou_loss", 4, 4},
    {"dice_loss", 4, 4},
    {"bce_with_logits", 4, 4},
    {"threshold", 0, 0},
    {"confusion_counts", 0, 0},
    {"composite", 4, 4},  // a few operations in a row
};

/// The row of `op`. Throws `Error` when the table has none.
const Tolerance& tolerance_of(std::string_view op);

}  // namespace glia::test
