// Max pooling by cuDNN's resampling operations, the only ones of cuDNN that give the place of the
// maximum. Their documentation numbers it as our contract does (row-major in the window, the first
// of equal ones), so the same index also serves our kernels, and these run where cuDNN has no
// engine.
#include <cstdio>

#include "engine/base/check.h"
#include "kernels/cuda/table.h"
#include "kernels/cudnn/kernels.h"
#include "kernels/cudnn/staging.h"

namespace glia::cudnn {

namespace {

enum Id : std::int64_t { kLarge = 1, kSmall, kIndex };

/// The large image is x or dx, the small one y or dy.
struct Pooling {
  const char* op;
  bool forward;
  PoolGeometry g;
  Image large, small, index;
  Write write = Write::overwrite;
};

std::string describe(const Pooling& p) {
  return fmt::format("{} image {}, result {}, window {}, stride {}", p.op, p.large.str(),
                     p.small.str(), p.g.window, p.g.stride);
}

PlanKey key_of(const Pooling& p) {
  constexpr int kFirst = 16;  // convolutions count from 0
  PlanKey key;
  key.add(kFirst + p.forward, p.g.N, p.g.H, p.g.W, p.g.C, p.g.P, p.g.Q, p.g.window, p.g.stride);
  key.add(p.large.type, p.large.stride_w, p.small.stride_w, p.index.stride_w);
  key.add(p.large.alignment(), p.small.alignment(), p.index.alignment());
  return key;
}

Descriptor resampling_descriptor(const PoolGeometry& g) {
  const auto both = [](std::int64_t n) { return std::array<cudnnFraction_t, 2>{{{n, 1}, {n, 1}}}; };
  Descriptor d(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
  const auto set_both = [&](cudnnBackendAttributeName_t name, std::int64_t n) {
    d.set_many(name, CUDNN_TYPE_FRACTION, 2, both(n).data());
  };
  d.set(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, CUDNN_RESAMPLE_MAXPOOL);
  d.set(CUDNN_ATTR_RESAMPLE_COMP_TYPE, CUDNN_DATA_FLOAT);
  d.set(CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, CUDNN_PROPAGATE_NAN);
  d.set(CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_TYPE_PADDING_MODE, CUDNN_NEG_INF_PAD);
  d.set(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, std::int64_t{2});
  set_both(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, g.window);
  set_both(CUDNN_ATTR_RESAMPLE_STRIDES, g.stride);
  set_both(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, 0);
  set_both(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, 0);
  d.finalize();
  return d;
}

std::unique_ptr<Plan> build_plan(const Library& library, const Pooling& p) {
  // Signed bytes are what cuDNN documents; the numbers of larger windows do not fit into them.
  const auto index_type = p.g.window * p.g.window <= 128 ? CUDNN_DATA_INT8 : CUDNN_DATA_UINT8;
  std::vector<Descriptor> parts;
  parts.push_back(resampling_descriptor(p.g));
  parts.push_back(tensor_descriptor(kLarge, p.large));
  parts.push_back(tensor_descriptor(kSmall, p.small));
  parts.push_back(tensor_descriptor(kIndex, p.index, index_type));
  Descriptor operation(p.forward ? CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR
                                 : CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR);
  operation.set(
      p.forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC,
      parts[0]);
  operation.set(p.forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC
                          : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC,
                parts[kLarge]);
  operation.set(p.forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC
                          : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC,
                parts[kSmall]);
  operation.set(p.forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC
                          : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC,
                parts[kIndex]);
  operation.finalize();
  parts.push_back(std::move(operation));
  // There are no products; the family of engines that also fuses convolutions has the note on
  // tensor cores for all that it does.
  const Demands demands{.precision = ConvPrecision::tf32, .max_workspace = library.max_workspace()};
  return choose_plan({.handle = library.handle()}, demands, describe(p), std::move(parts));
}

/// Runs `p` with `large` and `small` in place of its own; those without data are copies. When the
/// plan of the `last` form to be tried cannot be built, says so; later calls find the failure in
/// the cache.
bool run(KernelContext& context, const Pooling& p, const Image& large, const Image& small,
         bool last) {
  Pooling form = p;
  form.large = large;
  form.small = small;
  const auto build = [&] {
    try {
      return build_plan(library_of(context), form);
    } catch (const Error& error) {
      if (last) fmt::print(stderr, "cudnn: {}; our own kernel runs instead\n", error.what());
      throw;
    }
  };
  const PlanOperand operands[] = {
      {.id = kLarge,
       .image = large,
       .original = p.large,
       .read = p.forward,
       .written = !p.forward,
       .write = p.write},
      {.id = kSmall, .image = small, .original = p.small, .read = !p.forward, .written = p.forward},
      {.id = kIndex, .image = p.index}};
  std::string problem;
  return run_plan(context, key_of(form), build, operands, problem);
}

/// Whether cuDNN did it.
bool pool(KernelContext& context, const Pooling& p) {
  // These operations only overwrite.
  const bool accumulates = p.write == Write::accumulate;
  const Image large = p.large.plain() && !accumulates ? p.large : dense_like(p.large);
  const Image small = p.small.plain() ? p.small : dense_like(p.small);
  const bool as_given = large.data && small.data;
  if (!as_given && !accumulates && run(context, p, p.large, p.small, false)) return true;
  return run(context, p, large, small, true);
}

}  // namespace

void max_pool2d_forward(KernelContext& context, const MaxPool2dForward& a) {
  const Pooling pooling{.op = name_of(a),
                        .forward = true,
                        .g = a.geometry,
                        .large = image_of(a.x),
                        .small = image_of(a.y),
                        .index = image_of(a.index)};
  if (!pool(context, pooling)) cuda::table().max_pool2d_forward(context, a);
}

void max_pool2d_backward(KernelContext& context, const MaxPool2dBackward& a) {
  const Pooling pooling{.op = name_of(a),
                        .forward = false,
                        .g = a.geometry,
                        .large = image_of(a.dx),
                        .small = image_of(a.dy),
                        .index = image_of(a.index),
                        .write = a.write};
  if (!pool(context, pooling)) cuda::table().max_pool2d_backward(context, a);
}

}  // namespace glia::cudnn
