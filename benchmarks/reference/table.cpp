#include "benchmarks/reference/table.h"

#include <cmath>

#include "benchmarks/reference/reference.h"

namespace glia::reference {

namespace {

using Context = KernelContext&;

std::size_t regions_of(Region region, const ConstView& logits) {
  return region == Region::batch ? 1 : static_cast<std::size_t>(logits.shape[0]);
}

/// What a convolution's bias adds; no values where there is none.
Values load_if_given(const ConstView& view) {
  return view ? load(view) : Values();
}

Values load_mapped(const ConstView& x, const ConstView& map) {
  return map ? apply_map(load(x), load(map)) : load(x);
}

void store_moments(const Values& x, const View& moments) {
  store(channel_moments(x, static_cast<std::size_t>(moments.channels())), moments);
}

void run_conv2d(Context, const Conv2dForward& a) {
  const Values y = conv2d(a.geometry, load_mapped(a.x, a.x_map), load(a.w), load_if_given(a.b));
  store(y, a.y);
  if (a.moments) store_moments(y, a.moments);
}

void run_conv_transpose2d(Context, const ConvTranspose2dForward& a) {
  store(conv_transpose2d(a.geometry, load_mapped(a.x, a.x_map), load(a.w), load_if_given(a.b)),
        a.y);
}

/// running = (1 - momentum) * running + momentum * batch.
void update(const View& running, const Values& batch, double momentum) {
  Values values = load(running);
  for (std::size_t c = 0; c < values.size(); ++c)
    values[c] = (1 - momentum) * values[c] + momentum * batch[c];
  store(values, running);
}

void run_batch_norm_train(Context, const BatchNormForwardTrain& a) {
  const Normalized result = batch_norm(load(a.x), load(a.gamma), load(a.beta), a.epsilon);
  store(result.y, a.y);
  store(result.mean, a.mean);
  store(result.invstd, a.invstd);
  update(a.running_mean, result.mean, a.momentum);
  update(a.running_var, result.unbiased_variance, a.momentum);
}

void run_batch_norm_eval(Context, const BatchNormForwardEval& a) {
  store(batch_norm_fixed(load(a.x), load(a.gamma), load(a.beta), load(a.running_mean),
                         load(a.running_var), a.epsilon),
        a.y);
}

void run_group_norm(Context, const GroupNormForward& a) {
  const Normalized result =
      group_norm(a.x.shape[0], a.groups, load(a.x), load(a.gamma), load(a.beta), a.epsilon);
  store(result.y, a.y);
  store(result.mean, a.mean);
  store(result.invstd, a.invstd);
}

void run_channel_moments(Context, const ChannelMoments& a) {
  store_moments(load(a.x), a.moments);
}

void run_merge_moments(Context, const MergeMoments& a) {
  const Values parts = load(a.parts);
  const auto channels = static_cast<std::size_t>(a.moments.channels());
  const std::size_t count = parts.size() / (2 * channels);
  const auto rows = static_cast<double>(a.rows), all = static_cast<double>(count) * rows;
  Values merged(2 * channels, 0.0);
  for (std::size_t c = 0; c < channels; ++c) {
    // E[x^2] - E[x]^2, which is exact enough in double and another way than the kernels'.
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double mean = parts[2 * i * channels + c];
      sum += rows * mean;
      squares += parts[(2 * i + 1) * channels + c] + rows * mean * mean;
    }
    merged[c] = sum / all;
    merged[channels + c] = squares - sum * sum / all;
  }
  store(merged, a.moments);
}

void run_fold(Context, const Fold& a) {
  const auto count = static_cast<std::size_t>(a.parts.shape[0]);
  Values parts = load(a.parts);
  const std::size_t n = parts.size() / count;
  for (std::size_t i = n; i < parts.size(); ++i) parts[i % n] += parts[i];
  store(parts, a.parts);
}

/// Statistics of given moments: what batch_norm computes of x itself.
void run_batch_norm_relu_map_train(Context, const BatchNormReluMapTrain& a) {
  const Values moments = load(a.moments), gamma = load(a.gamma), beta = load(a.beta);
  const std::size_t channels = gamma.size();
  const auto rows = static_cast<double>(a.rows);
  Values mean(moments.begin(), moments.begin() + static_cast<std::ptrdiff_t>(channels));
  Values variance, unbiased, invstd;
  for (std::size_t c = 0; c < channels; ++c) {
    variance.push_back(moments[channels + c] / rows);
    unbiased.push_back(moments[channels + c] / (rows - 1));
    invstd.push_back(1 / std::sqrt(variance[c] + a.epsilon));
  }
  store(batch_norm_relu_map(gamma, beta, mean, variance, a.epsilon), a.map);
  store(mean, a.mean);
  store(invstd, a.invstd);
  update(a.running_mean, mean, a.momentum);
  update(a.running_var, unbiased, a.momentum);
}

void run_batch_norm_relu_map_eval(Context, const BatchNormReluMapEval& a) {
  store(batch_norm_relu_map(load(a.gamma), load(a.beta), load(a.running_mean), load(a.running_var),
                            a.epsilon),
        a.map);
}

void run_materialise(Context, const Materialise& a) {
  const Values y = load_mapped(a.x, a.map);
  store(y, a.y);
  if (!a.pooled) return;
  const Pooled result = max_pool2d(max_pool2d_geometry(a.x.shape, 2, 2), y);
  store(result.y, a.pooled);
  store(result.index, a.index);
}

void run_relu(Context, const ReluForward& a) {
  store(relu(load(a.x)), a.y);
}

void run_sigmoid(Context, const SigmoidForward& a) {
  store(sigmoid(load(a.x)), a.y);
}

void run_dropout(Context, const Dropout& a) {
  const double count = a.counter ? load(a.counter).at(0) : 0;
  const std::uint64_t stream = a.stream + 65536 * static_cast<std::uint64_t>(count);
  store(dropout(load(a.x), a.p, a.seed, stream), a.y, a.write);
}

void run_add(Context, const Add& a) {
  Values y = load(a.a);
  const Values b = load(a.b);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += b[i];
  store(y, a.y);
}

void run_mul(Context, const Mul& a) {
  Values y = load(a.a);
  const Values b = load(a.b);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] *= b[i];
  store(y, a.y, a.write);
}

void run_scale(Context, const Scale& a) {
  Values y = load(a.x);
  for (double& v : y) v *= a.alpha;
  store(y, a.y, a.write);
}

void run_fill(Context, const Fill& a) {
  const double value = a.alpha * (a.scalar ? load(a.scalar).at(0) : 1);
  store(Values(static_cast<std::size_t>(a.y.shape.numel()), value), a.y, a.write);
}

void run_sum(Context, const Sum& a) {
  double total = 0;
  for (double v : load(a.x)) total += v;
  store({a.alpha * total}, a.y);
}

void run_threshold(Context, const Threshold& a) {
  store(threshold(load(a.x), a.t), a.mask);
}

void run_max_pool2d(Context, const MaxPool2dForward& a) {
  const Pooled result = max_pool2d(a.geometry, load_mapped(a.x, a.x_map));
  store(result.y, a.y);
  store(result.index, a.index);
}

void run_upsample_nearest2d(Context, const UpsampleNearest2dForward& a) {
  store(upsample_nearest2d(a.x.shape, a.factor, load(a.x)), a.y);
}

void run_iou_loss(Context, const IouLossForward& a) {
  const Loss result =
      iou_loss(regions_of(a.region, a.logits), load(a.logits), load(a.target), a.smooth);
  store({result.loss}, a.loss);
  store(result.sums, a.sums);
}

void run_dice_loss(Context, const DiceLossForward& a) {
  const Loss result =
      dice_loss(regions_of(a.region, a.logits), load(a.logits), load(a.target), a.smooth);
  store({result.loss}, a.loss);
  store(result.sums, a.sums);
}

void run_iou_of_sums(Context, const IouLossOfSums& a) {
  const Values sums = load(a.sums);
  double total = 0;
  for (std::size_t i = 0; i < sums.size(); i += 2)
    total -= std::log((sums[i] + a.smooth) / (sums[i + 1] + a.smooth));
  store({2 * total / static_cast<double>(sums.size())}, a.loss);
}

void run_dice_of_sums(Context, const DiceLossOfSums& a) {
  const Values sums = load(a.sums);
  double total = 0;
  for (std::size_t i = 0; i < sums.size(); i += 2)
    total += 1 - (2 * sums[i] + a.smooth) / (sums[i + 1] + a.smooth);
  store({2 * total / static_cast<double>(sums.size())}, a.loss);
}

void run_bce_with_logits(Context, const BceWithLogitsForward& a) {
  store({bce_with_logits(load(a.logits), load(a.target))}, a.loss);
}

void run_confusion_counts(Context, const ConfusionCounts& a) {
  store(confusion_counts(static_cast<std::size_t>(a.counts.shape[0]), load(a.prediction),
                         load(a.target), a.t),
        a.counts);
}

}  // namespace

const KernelTable& table() {
  static const KernelTable kTable = {.name = "reference",
                                     .activations = DType::f64,
                                     .parameters = DType::f64,
                                     .maps = Maps::read,
                                     .gives_moments = true,
                                     .conv2d_forward = run_conv2d,
                                     .conv_transpose2d_forward = run_conv_transpose2d,
                                     .batch_norm_forward_train = run_batch_norm_train,
                                     .batch_norm_forward_eval = run_batch_norm_eval,
                                     .group_norm_forward = run_group_norm,
                                     .channel_moments = run_channel_moments,
                                     .batch_norm_relu_map_train = run_batch_norm_relu_map_train,
                                     .batch_norm_relu_map_eval = run_batch_norm_relu_map_eval,
                                     .merge_moments = run_merge_moments,
                                     .materialise = run_materialise,
                                     .relu_forward = run_relu,
                                     .sigmoid_forward = run_sigmoid,
                                     .dropout = run_dropout,
                                     .add = run_add,
                                     .mul = run_mul,
                                     .scale = run_scale,
                                     .fill = run_fill,
                                     .sum = run_sum,
                                     .fold = run_fold,
                                     .threshold = run_threshold,
                                     .max_pool2d_forward = run_max_pool2d,
                                     .upsample_nearest2d_forward = run_upsample_nearest2d,
                                     .iou_loss_forward = run_iou_loss,
                                     .iou_loss_of_sums = run_iou_of_sums,
                                     .dice_loss_forward = run_dice_loss,
                                     .dice_loss_of_sums = run_dice_of_sums,
                                     .bce_with_logits_forward = run_bce_with_logits,
                                     .confusion_counts = run_confusion_counts};
  return kTable;
}

}  // namespace glia::reference
