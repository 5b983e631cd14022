#include "kernels/cudnn/product.h"

#include <vector>

#include "kernels/cudnn/staging.h"
#include "kernels/cudnn/status.h"

namespace glia::cudnn {

namespace {

/// One of the three in scratch memory.
struct Copy {
  Image *image, original;
  std::size_t place;
};

}  // namespace

bool is_product(const ConvGeometry& g) {
  return g.R == 1 && g.S == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_top == 0 &&
         g.pad_left == 0 && g.P == g.H && g.Q == g.W;
}

/// In bf16 operands of float32 are rounded into scratch memory, and a biased result is summed up in
/// it.
void multiply(KernelContext& context, const char* op, Pass pass, const ConvGeometry& g,
              const ConvOperands& operands, Write write) {
  ConvOperands on = operands;
  Image& target = on.*target_of(pass);
  const Image& stored = operands.*target_of(pass);
  Scratch scratch;
  const std::size_t workspace = scratch.add(Blas::kWorkspace);
  std::vector<Copy> copies;
  if (context.precision == ConvPrecision::bf16)
    for (Image* image : {&on.image, &on.filter, &on.result}) {
      const bool sums = image == &target && on.bias;
      if (image->type == (sums ? DType::f32 : DType::bf16) || (image == &target && !sums)) continue;
      const Image copy = dense_like(*image, sums ? DType::f32 : DType::bf16);
      copies.push_back({image, *image, scratch.add(copy.bytes())});
      *image = copy;
    }
  scratch.reserve(context);
  for (const Copy& copy : copies) {
    copy.image->data = scratch.at(copy.place);
    if (copy.image != &target) copy_image(context, copy.original, *copy.image, Write::overwrite);
  }

  const auto matrix = [](const Image& image, bool transposed = false) {
    return Blas::Matrix{image.data, image.stride_w, image.type, transposed};
  };
  const std::int64_t pixels = g.N * g.H * g.W;
  const Blas::Call call{op, context.precision, scratch.at(workspace)};
  Blas& blas = library_of(context).blas();
  switch (pass) {
    case Pass::forward:
      blas.multiply(call, {pixels, g.K, g.C}, matrix(on.image), matrix(on.filter, true),
                    matrix(on.result), write);
      break;
    case Pass::dgrad:
      blas.multiply(call, {pixels, g.C, g.K}, matrix(on.result), matrix(on.filter),
                    matrix(on.image), write);
      break;
    case Pass::wgrad:
      blas.multiply(call, {g.K, g.C, pixels}, matrix(on.result, true), matrix(on.image),
                    matrix(on.filter), write);
      break;
  }
  if (target.data == stored.data) return add_bias(context, op, on.bias, target);
  require_success(add_bias(library_of(context).handle(), on.bias, target), op);
  copy_image(context, target, stored, Write::overwrite);
}

}  // namespace glia::cudnn
