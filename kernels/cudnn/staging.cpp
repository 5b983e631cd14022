#include "kernels/cudnn/staging.h"

#include <limits>

#include "engine/base/check.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/table.h"
#include "kernels/cudnn/functions.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

namespace {

constexpr std::size_t kAlignment = 256;

int to_int(std::int64_t number) {
  check(number <= std::numeric_limits<int>::max(),
        "unsupported: cudnn: a tensor of 2^31 elements or more");
  return static_cast<int>(number);
}

/// The part of `operand.image`, at `data`, that holds the original.
Image inner_part(const PlanOperand& operand, void* data) {
  Image part = operand.image;
  const std::int64_t elements = operand.top * part.stride_h + operand.left * part.stride_w;
  part.data = static_cast<char*>(data) + elements * static_cast<std::int64_t>(size_of(part.type));
  part.H = operand.original.H;
  part.W = operand.original.W;
  return part;
}

/// Whether all its pixels lie one pitch apart, as a view's do.
bool is_view(const Image& image) {
  return image.stride_h == image.W * image.stride_w && image.stride_n == image.H * image.stride_h;
}

View view_of(const Image& image) {
  View view;
  view.data = image.data;
  view.shape = {image.N, image.H, image.W, image.C};
  view.pitch = image.stride_w;
  view.dtype = image.type;
  return view;
}

/// Row `h` of image `n`.
View row_of(const Image& image, std::int64_t n, std::int64_t h) {
  Image row = dense_image(1, 1, image.W, image.C, image.type);
  row.stride_w = image.stride_w;
  const std::int64_t elements = n * image.stride_n + h * image.stride_h;
  row.data =
      static_cast<char*>(image.data) + elements * static_cast<std::int64_t>(size_of(image.type));
  return view_of(row);
}

/// By our kernel, which reads and writes either type.
void convert(KernelContext& context, const View& from, const View& to, Write write) {
  cuda::table().scale(context, {.x = from, .y = to, .write = write});
}

bool is_padded(const PlanOperand& operand) {
  return operand.image.H != operand.original.H || operand.image.W != operand.original.W;
}

}  // namespace

std::size_t Scratch::add(std::size_t bytes) {
  const std::size_t place = bytes_;
  bytes_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return place;
}

void Scratch::reserve(KernelContext& context) {
  if (bytes_ > 0) base_ = static_cast<char*>(context.workspace.reserve(bytes_));
}

void copy_image(KernelContext& context, const Image& from, const Image& to, Write write) {
  if (from.type != DType::f32 || to.type != DType::f32) {
    if (is_view(from) && is_view(to)) return convert(context, view_of(from), view_of(to), write);
    // Beside padding.
    for (std::int64_t n = 0; n < from.N; ++n)
      for (std::int64_t h = 0; h < from.H; ++h)
        convert(context, row_of(from, n, h), row_of(to, n, h), write);
    return;
  }
  const TensorDescriptor source(from, TensorDescriptor::As::rows);
  const TensorDescriptor target(to, TensorDescriptor::As::rows);
  require_success(cudnn().cudnnTransformTensor(library_of(context).handle(), &kOne, source,
                                               from.data, blend(write), target, to.data),
                  "copying a tensor");
}

cudnnStatus_t add_bias(cudnnHandle_t handle, const void* b, const Image& y) {
  using As = TensorDescriptor::As;
  const TensorDescriptor row(dense_image(1, 1, 1, y.C), As::rows), rows(y, As::rows);
  const cudnnStatus_t status = cudnn().cudnnAddTensor(handle, &kOne, row, b, &kOne, rows, y.data);
  if (!is_refusal(status)) return status;
  const TensorDescriptor image(y);
  return cudnn().cudnnAddTensor(handle, &kOne, TensorDescriptor::channels(y.C), b, &kOne, image,
                                y.data);
}

bool run_plan(KernelContext& context, const PlanKey& key, const PlanBuilder& build,
              std::span<const PlanOperand> operands, std::string& problem) {
  Library& library = library_of(context);
  const Built<Plan>& built = library.plans().get(key, [&]() -> Built<Plan> {
    try {
      return {build(), {}};
    } catch (const Error& error) {
      return {nullptr, error.what()};
    }
  });
  if (!built.plan) {
    problem = built.problem;
    return false;
  }

  Scratch scratch;
  const std::size_t workspace = scratch.add(built.plan->workspace);
  std::vector<std::size_t> places;
  for (const PlanOperand& o : operands)
    places.push_back(o.image.data ? 0 : scratch.add(o.image.bytes()));
  scratch.reserve(context);

  std::vector<Binding> bindings;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const PlanOperand& o = operands[i];
    void* data = o.image.data ? o.image.data : scratch.at(places[i]);
    bindings.push_back({o.id, data});
    if (o.image.data || !o.read) continue;
    if (is_padded(o))
      cuda::check(
          cudaMemsetAsync(data, 0, o.image.bytes(), static_cast<cudaStream_t>(context.stream)),
          "padding an image");
    copy_image(context, o.original, inner_part(o, data), Write::overwrite);
  }
  execute(library.handle(), *built.plan, bindings,
          built.plan->workspace > 0 ? scratch.at(workspace) : nullptr);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const PlanOperand& o = operands[i];
    if (o.bias) {
      Image result = o.image;
      result.data = bindings[i].data;
      require_success(add_bias(library.handle(), o.bias, result), "adding a bias");
    }
    if (!o.image.data && o.written && o.original.data)
      copy_image(context, inner_part(o, bindings[i].data), o.original, o.write);
  }
  return true;
}

void run_call(KernelContext& context, const char* op, const std::vector<CallOperand>& operands,
              const Call& call) {
  Library& library = library_of(context);
  const auto attempt = [&](bool dense) {
    Scratch scratch;
    std::vector<Image> images;
    std::vector<std::size_t> places;
    for (const CallOperand& o : operands) {
      const bool as_given = o.image.data && (!dense || o.image.plain());
      images.push_back(as_given ? o.image : dense_like(o.image));
      places.push_back(as_given ? 0 : scratch.add(o.image.bytes()));
    }
    scratch.reserve(context);
    std::vector<std::size_t> copies;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (images[i].data) continue;
      images[i].data = scratch.at(places[i]);
      if (!operands[i].image.data) continue;
      copies.push_back(i);
      if (operands[i].read) copy_image(context, operands[i].image, images[i], Write::overwrite);
    }
    const cudnnStatus_t status = call(library.handle(), images);
    if (status != CUDNN_STATUS_SUCCESS) return status;
    for (const std::size_t i : copies)
      if (operands[i].written) copy_image(context, images[i], operands[i].image, Write::overwrite);
    return status;
  };

  bool plain = true;
  for (const CallOperand& o : operands) plain = plain && o.image.plain();
  cudnnStatus_t status = attempt(false);
  if (is_refusal(status) && !plain) status = attempt(true);
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::string shapes;
  for (const CallOperand& o : operands) shapes += " " + o.image.str();
  fail("{}cudnn: {}{}: {}", is_refusal(status) ? "unsupported: " : "", op, shapes,
       words_of(status));
}

void add_bias(KernelContext& context, const char* op, const void* b, const Image& y) {
  if (!b) return;
  run_call(context, op, {{.image = y, .read = true, .written = true}},
           [b](cudnnHandle_t handle, std::span<const Image> images) {
             return add_bias(handle, b, images[0]);
           });
}

TensorDescriptor::TensorDescriptor() {
  require_success(cudnn().cudnnCreateTensorDescriptor(&handle_), "creating a tensor descriptor");
}

TensorDescriptor::TensorDescriptor(const Image& i, As as) : TensorDescriptor() {
  const int n = to_int(i.N), h = to_int(i.H), w = to_int(i.W), c = to_int(i.C);
  const int stride_n = to_int(i.stride_n), stride_h = to_int(i.stride_h),
            stride_w = to_int(i.stride_w);
  const cudnnDataType_t type = cudnn_type(i.type);
  to_int(i.N * i.stride_n);  // cuDNN's own offsets are 32-bit numbers
  require_success(as == As::image ? cudnn().cudnnSetTensor4dDescriptorEx(
                                        handle_, type, n, c, h, w, stride_n, 1, stride_h, stride_w)
                                  : cudnn().cudnnSetTensor4dDescriptorEx(
                                        handle_, type, n, h, w, c, stride_n, stride_h, stride_w, 1),
                  "describing a tensor");
}

TensorDescriptor TensorDescriptor::channels(std::int64_t C) {
  TensorDescriptor descriptor;
  require_success(cudnn().cudnnSetTensor4dDescriptor(descriptor.handle_, CUDNN_TENSOR_NCHW,
                                                     CUDNN_DATA_FLOAT, 1, to_int(C), 1, 1),
                  "describing a tensor");
  return descriptor;
}

TensorDescriptor::~TensorDescriptor() {
  if (handle_) cudnn().cudnnDestroyTensorDescriptor(handle_);
}

}  // namespace glia::cudnn
