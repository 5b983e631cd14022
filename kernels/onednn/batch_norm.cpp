// Batch norm with the statistics of the batch. oneDNN keeps the variance, our contract 1 / sqrt of
// it and the running statistics; one pass over the channels makes these.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/onednn/call.h"
#include "kernels/onednn/interface.h"
#include "kernels/onednn/kernels.h"

namespace glia::onednn {

namespace {

const auto kFlags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;

/// `old` with a share of `value` in it.
float blended(float old, double value, double momentum) {
  return static_cast<float>((1 - momentum) * old + momentum * value);
}

dnnl::batch_normalization_forward::primitive_desc forward_desc(const dnnl::engine& engine,
                                                               const Desc& image, double epsilon) {
  using PrimitiveDesc = dnnl::batch_normalization_forward::primitive_desc;
  constexpr auto kTraining = dnnl::prop_kind::forward_training;
  const auto small = static_cast<float>(epsilon);
#if DNNL_VERSION_MAJOR >= 3
  return describe_forward<PrimitiveDesc>(engine, attributes(), kTraining, image, image, small,
                                         kFlags);
#else
  return describe_forward<PrimitiveDesc>(engine, attributes(), kTraining, image, small, kFlags);
#endif
}

dnnl::batch_normalization_backward::primitive_desc backward_desc(const dnnl::engine& engine,
                                                                 const Desc& image) {
  using PrimitiveDesc = dnnl::batch_normalization_backward::primitive_desc;
  constexpr auto kBackward = dnnl::prop_kind::backward;
  const auto hint = forward_desc(engine, image, 0);
#if DNNL_VERSION_MAJOR >= 3
  return describe_backward<PrimitiveDesc>(engine, attributes(), hint, kBackward, image, image,
                                          image, 0.0f, kFlags);
#else
  return describe_backward<PrimitiveDesc>(engine, attributes(), hint, kBackward, image, image, 0.0f,
                                          kFlags);
#endif
}

}  // namespace

void batch_norm_forward_train(KernelContext& context, const BatchNormForwardTrain& a) {
  const Desc channels = vector_desc(a.gamma);
  run(context, {.op = name_of(a),
                .parameters = {{"epsilon", a.epsilon}},
                .operands = {input(DNNL_ARG_SRC, image_desc(a.x), a.x),
                             input(DNNL_ARG_SCALE, channels, a.gamma),
                             input(DNNL_ARG_SHIFT, channels, a.beta),
                             output(DNNL_ARG_DST, image_desc(a.y), a.y, Write::overwrite),
                             output(DNNL_ARG_MEAN, channels, a.mean, Write::overwrite),
                             output(DNNL_ARG_VARIANCE, channels, a.invstd, Write::overwrite)},
                .describe = [&](const dnnl::engine& engine) {
                  return forward_desc(engine, dense_nhwc(image_desc(a.x)), a.epsilon);
                }});
  const auto rows = static_cast<double>(a.x.rows());
  const auto* mean = a.mean.as<float>();
  auto *variance = a.invstd.as<float>(), *running_mean = a.running_mean.as<float>(),
       *running_var = a.running_var.as<float>();
  for (std::int64_t c = 0; c < a.x.channels(); ++c) {
    const double biased = variance[c];
    running_mean[c] = blended(running_mean[c], mean[c], a.momentum);
    running_var[c] = blended(running_var[c], biased * rows / std::max(1.0, rows - 1), a.momentum);
    variance[c] = static_cast<float>(1 / std::sqrt(biased + a.epsilon));
  }
}

void batch_norm_backward_train(KernelContext& context, const BatchNormBackwardTrain& a) {
  const Desc channels = vector_desc(a.gamma), image = image_desc(a.x);
  // With this in place of the variance, and no epsilon, oneDNN's 1 / sqrt is the saved one.
  std::vector<float> variance;
  for (std::int64_t c = 0; c < a.x.channels(); ++c) {
    const double invstd = a.invstd.as<float>()[c];
    variance.push_back(static_cast<float>(1 / (invstd * invstd)));
  }
  ConstView variances = a.invstd;
  variances.data = variance.data();
  run(context,
      {.op = name_of(a),
       .operands = {input(DNNL_ARG_DIFF_DST, image_desc(a.dy), a.dy),
                    input(DNNL_ARG_SRC, image, a.x), input(DNNL_ARG_SCALE, channels, a.gamma),
                    // Wanted, though no gradient depends on it.
                    input(DNNL_ARG_SHIFT, channels, a.gamma),
                    input(DNNL_ARG_MEAN, channels, a.mean),
                    input(DNNL_ARG_VARIANCE, channels, variances),
                    output(DNNL_ARG_DIFF_SRC, a.dx ? image_desc(a.dx) : image, a.dx, a.write),
                    output(DNNL_ARG_DIFF_SCALE, channels, a.dgamma, a.write_params),
                    output(DNNL_ARG_DIFF_SHIFT, channels, a.dbeta, a.write_params)},
       .describe = [&](const dnnl::engine& engine) {
         return backward_desc(engine, dense_nhwc(image));
       }});
}

}  // namespace glia::onednn
