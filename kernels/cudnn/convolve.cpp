// By cuDNN's graph interface: it takes strides, alignments and paddings as they are, and its
// engines say whether they are deterministic and fp32. First the operands as given; when no engine
// takes those, dense copies, an even padding before and after, and nothing accumulated: what
// every engine can do. In bf16 there is a third way, by copies in float32 (conv_types.h).
#include "kernels/cudnn/convolve.h"

#include "engine/base/check.h"
#include "kernels/cudnn/conv_types.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/padding.h"
#include "kernels/cudnn/product.h"
#include "kernels/cudnn/staging.h"

namespace glia::cudnn {

namespace {

enum Id : std::int64_t { kImage = 1, kFilter, kResult, kBias, kSums };

// What each pass computes.
constexpr Id kTargetIds[] = {kResult, kImage, kFilter};

/// A convolution as cuDNN is told about it.
struct Form {
  Pass pass = Pass::forward;
  ConvGeometry g;
  ConvTypes types{};
  std::int64_t pad_bottom = 0, pad_right = 0;
  ConvOperands on;
  Write write = Write::overwrite;

  Image& target() { return on.*target_of(pass); }
  const Image& target() const { return on.*target_of(pass); }
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

/// Its bias as a tensor.
Image bias_of(const Form& f) {
  Image bias = dense_image(1, 1, 1, f.target().C);
  bias.data = const_cast<void*>(f.on.bias);
  return bias;
}

const char* text_of(const ConvTypes& types) {
  switch (types.precision) {
    case ConvPrecision::fp32: return "";
    case ConvPrecision::tf32: return ", in tf32";
    case ConvPrecision::bf16: return ", in bf16";
  }
  return "";
}

std::string describe(const Form& f) {
  return fmt::format(
      "image {}, filter {}, result {}, stride {}x{}, padding {} {} {} {}{}{}{}", f.on.image.str(),
      f.on.filter.str(), f.on.result.str(), f.g.stride_h, f.g.stride_w, f.g.pad_top, f.pad_bottom,
      f.g.pad_left, f.pad_right, f.write == Write::accumulate ? ", accumulating" : "",
      f.types.epilogue == Epilogue::add_bias ? ", with its bias" : "", text_of(f.types));
}

PlanKey key_of(const Form& f) {
  const ConvGeometry& g = f.g;
  const ConvOperands& on = f.on;
  PlanKey key;
  key.add(f.pass, f.types.precision, f.types.epilogue, f.write);
  key.add(g.N, g.H, g.W, g.C, g.K, g.R, g.S, g.P, g.Q);
  key.add(g.stride_h, g.stride_w, g.pad_top, g.pad_left, f.pad_bottom, f.pad_right);
  key.add(on.image.stride_w, on.filter.stride_w, on.result.stride_w);
  key.add(on.image.alignment(), on.filter.alignment(), on.result.alignment(),
          bias_of(f).alignment());
  key.add(f.target().type);  // the others' follows from the precision
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

Descriptor pointwise_descriptor(cudnnPointwiseMode_t mode) {
  Descriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  pointwise.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode);
  pointwise.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  pointwise.finalize();
  return pointwise;
}

/// Appends the step after the products: from their sums, which take the place of the target in
/// `parts`, to the target.
void add_epilogue(const Form& f, std::vector<Descriptor>& parts, std::vector<Descriptor>& steps) {
  const bool adds = f.types.epilogue == Epilogue::add_bias;
  const Id target = kTargetIds[static_cast<std::size_t>(f.pass)];
  const std::size_t stored = parts.size(), pointwise = stored + 1, bias = stored + 2;
  parts.push_back(std::exchange(parts[target], virtual_tensor(kSums, f.target())));
  parts.push_back(pointwise_descriptor(adds ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_IDENTITY));
  if (adds) parts.push_back(tensor_descriptor(kBias, bias_of(f)));
  Descriptor step(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  step.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, parts[pointwise]);
  step.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, parts[target]);
  if (adds) step.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, parts[bias]);
  step.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, parts[stored]);
  step.finalize();
  steps.push_back(std::move(step));
}

std::unique_ptr<Plan> build_plan(const PlanTarget& gpu, std::size_t max_workspace, const char* op,
                                 const Form& f) {
  const Names& names = kNames[static_cast<std::size_t>(f.pass)];
  std::vector<Descriptor> parts, steps;
  parts.push_back(convolution_descriptor(f));
  parts.push_back(tensor_descriptor(kImage, f.on.image));
  parts.push_back(tensor_descriptor(kFilter, f.on.filter));
  parts.push_back(tensor_descriptor(kResult, f.on.result));
  if (f.types.epilogue != Epilogue::none) add_epilogue(f, parts, steps);
  Descriptor operation(names.operation);
  operation.set(names.convolution, parts[0]);
  operation.set(names.image, parts[kImage]);
  operation.set(names.filter, parts[kFilter]);
  operation.set(names.result, parts[kResult]);
  operation.set(names.alpha, CUDNN_TYPE_FLOAT, kOne);
  operation.set(names.beta, CUDNN_TYPE_FLOAT, *blend(f.write));
  operation.finalize();
  steps.insert(steps.begin(), std::move(operation));
  const std::size_t operations = steps.size();
  for (Descriptor& step : steps) parts.push_back(std::move(step));
  const Demands demands{.precision = f.types.precision, .max_workspace = max_workspace};
  return choose_plan(gpu, demands, fmt::format("{} {}", op, describe(f)), std::move(parts),
                     operations);
}

/// `given` as cuDNN is asked for it. Operands that have lost their data are copies.
Form form_of(const Form& given, Attempt attempt, ConvPrecision precision) {
  Form form = given;
  form.types = types_of(precision, given.target().type, given.on.bias != nullptr, attempt);
  const auto prepare = [&](Image& image, DType type) {
    const bool moved = attempt != Attempt::given && !image.plain();
    if (moved || image.type != type) image = dense_like(image, type);
  };
  Image target = form.target();
  for (Image* image : {&form.on.image, &form.on.filter, &form.on.result})
    prepare(*image, form.types.operands);
  prepare(target, form.types.result);
  // What is added to lies beside the sums until these are complete: no step of a plan but the
  // convolution itself accumulates, and bf16 sums would be rounded before.
  const bool adds_itself = attempt == Attempt::given && form.types.epilogue == Epilogue::none;
  if (given.write == Write::accumulate && !adds_itself) {
    form.write = Write::overwrite;
    target = dense_like(target, DType::f32);
    if (form.types.epilogue == Epilogue::none && form.types.operands != DType::f32)
      form.types.epilogue = Epilogue::convert;
  }
  form.target() = target;
  if (attempt == Attempt::given || is_even(given)) return form;
  ConvGeometry& g = form.g;
  g.H += g.pad_top + form.pad_bottom;
  g.W += g.pad_left + form.pad_right;
  g.pad_top = g.pad_left = form.pad_bottom = form.pad_right = 0;
  form.on.image = dense_image(g.N, g.H, g.W, g.C, form.on.image.type);
  return form;
}

bool run(KernelContext& context, const char* op, const Form& given, const Form& form,
         std::string& problem) {
  PlanOperand image{.id = kImage, .image = form.on.image, .original = given.on.image};
  PlanOperand filter{.id = kFilter, .image = form.on.filter, .original = given.on.filter};
  PlanOperand result{.id = kResult, .image = form.on.result, .original = given.on.result};
  image.top = given.g.pad_top - form.g.pad_top;
  image.left = given.g.pad_left - form.g.pad_left;
  image.read = filter.read = result.read = true;
  PlanOperand& target = form.pass == Pass::forward ? result
                        : form.pass == Pass::dgrad ? image
                                                   : filter;
  target.read = false;
  target.written = true;
  target.write = given.write;
  if (context.precision == ConvPrecision::bf16 && form.types.epilogue != Epilogue::add_bias)
    target.bias = given.on.bias;
  std::vector<PlanOperand> operands{image, filter, result};
  if (form.types.epilogue == Epilogue::add_bias)
    operands.push_back({.id = kBias, .image = bias_of(form)});
  const Library& library = library_of(context);
  return run_plan(
      context, key_of(form),
      [&] { return build_plan({.handle = library.handle()}, library.max_workspace(), op, form); },
      operands, problem);
}

Form form_of(Pass pass, const ConvGeometry& g, const ConvOperands& operands, Write write) {
  return {.pass = pass,
          .g = g,
          .pad_bottom = padding_after(g.H, g.R, g.stride_h, g.pad_top, g.P),
          .pad_right = padding_after(g.W, g.S, g.stride_w, g.pad_left, g.Q),
          .on = operands,
          .write = write};
}

std::vector<Attempt> attempts(ConvPrecision precision) {
  if (precision == ConvPrecision::bf16) return {Attempt::given, Attempt::plain, Attempt::widened};
  return {Attempt::given, Attempt::plain};
}

}  // namespace

void convolve(KernelContext& context, const char* op, Pass pass, const ConvGeometry& g,
              const ConvOperands& operands, Write write) {
  check(operands.image.numel() > 0 && operands.result.numel() > 0,
        "unsupported: cudnn: {}: image {}, result {}, expected neither to be empty", op,
        operands.image.str(), operands.result.str());
  const Form given = form_of(pass, g, operands, write);
  bool reads_bf16 = false;
  for (const Image* image : {&operands.image, &operands.filter, &operands.result})
    reads_bf16 =
        reads_bf16 || (image != &(operands.*target_of(pass)) && image->type == DType::bf16);
  check((context.precision == ConvPrecision::bf16) == reads_bf16,
        "convolution: operands in bf16 and the precision bf16 of the context go together; found "
        "one without the other");
  if (is_product(g)) return multiply(context, op, pass, g, operands, write);
  std::string problems;
  for (const Attempt attempt : attempts(context.precision)) {
    std::string problem;
    if (run(context, op, given, form_of(given, attempt, context.precision), problem)) {
      if (context.precision != ConvPrecision::bf16)
        add_bias(context, op, operands.bias, given.target());
      return;
    }
    if (problems.find(problem) != std::string::npos) continue;
    problems += problems.empty() ? problem : "; nor as copies: " + problem;
  }
  fail("unsupported: {}", problems);
}

std::vector<std::string> answers(const std::string& gpu, ConvPrecision precision, Pass pass,
                                 const ConvGeometry& g, const ConvOperands& operands, Write write) {
  const Form given = form_of(pass, g, operands, write);
  const Descriptor described = described_gpu(gpu);
  constexpr std::size_t kNoLimit = ~std::size_t{};
  std::vector<std::string> lines;
  for (const Attempt attempt : attempts(precision)) try {
      const Form form = form_of(given, attempt, precision);
      lines.push_back(build_plan({.described = &described}, kNoLimit, "conv2d", form)->note);
    } catch (const Error& declined) {
      lines.push_back(fmt::format("declined: {}", declined.what()));
    }
  return lines;
}

}  // namespace glia::cudnn
