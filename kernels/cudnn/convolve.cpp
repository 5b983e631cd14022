// By cuDNN's graph interface: it takes strides, alignments and paddings as they are, and its
// engines say whether they are deterministic and fp32. First the operands as given; when no engine
// takes those, dense copies, an even padding before and after, and nothing accumulated: what
// every engine can do.
//
// Where each pixel of the result has one pixel of the image (1x1, stride 1), cuBLAS multiplies the
// matrices where they lie, whatever their pitch.
#include "kernels/cudnn/convolve.h"

#include "engine/base/check.h"
#include "kernels/cudnn/padding.h"
#include "kernels/cudnn/staging.h"

namespace glia::cudnn {

namespace {

enum Id : std::int64_t { kImage = 1, kFilter, kResult };

/// A convolution as cuDNN is told about it.
struct Form {
  ConvGeometry g;
  ConvPrecision precision = ConvPrecision::fp32;
  std::int64_t pad_bottom = 0, pad_right = 0;
  ConvOperands on;
  Write write = Write::overwrite;
};

/// What cuDNN's graph interface calls the same things in each pass.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, image, filter, result, alpha, beta;
};
constexpr Names kNames[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};

bool is_even(const Form& f) {
  return f.g.pad_top == f.pad_bottom && f.g.pad_left == f.pad_right;
}

std::string describe(const Form& f) {
  return fmt::format("image {}, filter {}, result {}, stride {}x{}, padding {} {} {} {}{}{}",
                     f.on.image.str(), f.on.filter.str(), f.on.result.str(), f.g.stride_h,
                     f.g.stride_w, f.g.pad_top, f.pad_bottom, f.g.pad_left, f.pad_right,
                     f.write == Write::accumulate ? ", accumulating" : "",
                     f.precision == ConvPrecision::tf32 ? ", in tf32" : "");
}

PlanKey key_of(Pass pass, const Form& f) {
  const ConvGeometry& g = f.g;
  const ConvOperands& on = f.on;
  PlanKey key;
  key.add(pass, f.precision, f.write, g.N, g.H, g.W, g.C, g.K, g.R, g.S, g.P, g.Q);
  key.add(g.stride_h, g.stride_w, g.pad_top, g.pad_left, f.pad_bottom, f.pad_right);
  key.add(on.image.stride_w, on.filter.stride_w, on.result.stride_w);
  key.add(on.image.alignment(), on.filter.alignment(), on.result.alignment());
  return key;
}

Descriptor convolution_descriptor(const Form& f) {
  const std::array<std::int64_t, 2> before{f.g.pad_top, f.g.pad_left},
      after{f.pad_bottom, f.pad_right}, strides{f.g.stride_h, f.g.stride_w}, dilations{1, 1};
  Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                  CUDNN_CROSS_CORRELATION);
  convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, before);
  convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, after);
  convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, strides);
  convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilations);
  convolution.finalize();
  return convolution;
}

std::unique_ptr<Plan> build_plan(const Library& library, const char* op, Pass pass, const Form& f) {
  const Names& names = kNames[static_cast<std::size_t>(pass)];
  std::vector<Descriptor> parts;
  parts.push_back(convolution_descriptor(f));
  parts.push_back(tensor_descriptor(kImage, f.on.image));
  parts.push_back(tensor_descriptor(kFilter, f.on.filter));
  parts.push_back(tensor_descriptor(kResult, f.on.result));
  Descriptor operation(names.operation);
  operation.set(names.convolution, parts[0]);
  operation.set(names.image, parts[kImage]);
  operation.set(names.filter, parts[kFilter]);
  operation.set(names.result, parts[kResult]);
  operation.set(names.alpha, CUDNN_TYPE_FLOAT, kOne);
  operation.set(names.beta, CUDNN_TYPE_FLOAT, *blend(f.write));
  operation.finalize();
  parts.push_back(std::move(operation));
  const Demands demands{.precision = f.precision, .max_workspace = library.max_workspace()};
  return choose_plan(library.handle(), demands, fmt::format("{} {}", op, describe(f)),
                     std::move(parts));
}

/// The same convolution in a form that every engine can do. Operands that have lost their data are
/// to be copied.
Form plain_form(Pass pass, const Form& given) {
  Form plain = given;
  plain.write = Write::overwrite;
  const auto prepare = [&](Image& image, Pass written_by) {
    const bool accumulated = pass == written_by && given.write == Write::accumulate;
    if (!image.plain() || accumulated) image = dense_like(image);
  };
  prepare(plain.on.image, Pass::dgrad);
  prepare(plain.on.filter, Pass::wgrad);
  prepare(plain.on.result, Pass::forward);
  if (is_even(given)) return plain;
  ConvGeometry& g = plain.g;
  g.H += g.pad_top + plain.pad_bottom;
  g.W += g.pad_left + plain.pad_right;
  g.pad_top = g.pad_left = plain.pad_bottom = plain.pad_right = 0;
  plain.on.image = dense_image(g.N, g.H, g.W, g.C);
  return plain;
}

bool run(KernelContext& context, const char* op, Pass pass, const Form& given, const Form& form,
         std::string& problem) {
  PlanOperand image{.id = kImage, .image = form.on.image, .original = given.on.image};
  PlanOperand filter{.id = kFilter, .image = form.on.filter, .original = given.on.filter};
  PlanOperand result{.id = kResult, .image = form.on.result, .original = given.on.result};
  image.top = given.g.pad_top - form.g.pad_top;
  image.left = given.g.pad_left - form.g.pad_left;
  image.read = filter.read = result.read = true;
  PlanOperand& target = pass == Pass::forward ? result : pass == Pass::dgrad ? image : filter;
  target.read = false;
  target.written = true;
  target.write = given.write;
  const PlanOperand operands[] = {image, filter, result};
  return run_plan(
      context, key_of(pass, form), [&] { return build_plan(library_of(context), op, pass, form); },
      operands, problem);
}

bool is_product(const ConvGeometry& g) {
  return g.R == 1 && g.S == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_top == 0 &&
         g.pad_left == 0 && g.P == g.H && g.Q == g.W;
}

void multiply(KernelContext& context, const char* op, Pass pass, const ConvGeometry& g,
              const ConvOperands& on, Write write) {
  const auto matrix = [](const Image& image, bool transposed = false) {
    return Blas::Matrix{static_cast<float*>(image.data), image.stride_w, transposed};
  };
  Blas& blas = library_of(context).blas();
  const std::int64_t pixels = g.N * g.H * g.W;
  switch (pass) {
    case Pass::forward:
      return blas.multiply(context, op, pixels, g.K, g.C, matrix(on.image), matrix(on.filter, true),
                           matrix(on.result), write);
    case Pass::dgrad:
      return blas.multiply(context, op, pixels, g.C, g.K, matrix(on.result), matrix(on.filter),
                           matrix(on.image), write);
    case Pass::wgrad:
      return blas.multiply(context, op, g.K, g.C, pixels, matrix(on.result, true), matrix(on.image),
                           matrix(on.filter), write);
  }
}

}  // namespace

void convolve(KernelContext& context, const char* op, Pass pass, const ConvGeometry& g,
              const ConvOperands& operands, Write write) {
  check(operands.image.numel() > 0 && operands.result.numel() > 0,
        "unsupported: cudnn: {}: image {}, result {}, expected neither to be empty", op,
        operands.image.str(), operands.result.str());
  if (is_product(g)) return multiply(context, op, pass, g, operands, write);
  const Form given{.g = g,
                   .precision = context.precision,
                   .pad_bottom = padding_after(g.H, g.R, g.stride_h, g.pad_top, g.P),
                   .pad_right = padding_after(g.W, g.S, g.stride_w, g.pad_left, g.Q),
                   .on = operands,
                   .write = write};
  std::string problem, plain_problem;
  if (run(context, op, pass, given, given, problem)) return;
  if (run(context, op, pass, given, plain_form(pass, given), plain_problem)) return;
  fail("unsupported: {}{}{}", problem, plain_problem == problem ? "" : "; nor as dense copies: ",
       plain_problem == problem ? "" : plain_problem);
}

}  // namespace glia::cudnn
