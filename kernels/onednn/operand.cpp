#include "kernels/onednn/operand.h"

namespace glia::onednn {

namespace {

constexpr auto kFloat = dnnl::memory::data_type::f32;
using Tag = dnnl::memory::format_tag;

Operand operand(int argument, const Desc& desc, const ConstView& view) {
  const std::int64_t elements =
      view.rows() == 0 ? 0 : (view.rows() - 1) * view.pitch + view.channels();
  return {.argument = argument,
          .data = const_cast<void*>(view.data),  // oneDNN's memory does not tell input from output
          .desc = desc,
          .bytes = view ? static_cast<std::size_t>(elements) * sizeof(float) : 0};
}

}  // namespace

Desc image_desc(const ConstView& view) {
  const Shape& s = view.shape;
  const bool image = s.rank() == 4;
  const std::int64_t n = image ? s[0] : 1, h = image ? s[1] : 1, w = image ? s[2] : view.rows();
  return Desc({n, view.channels(), h, w}, kFloat,
              dnnl::memory::dims{h * w * view.pitch, 1, w * view.pitch, view.pitch});
}

Desc filter_desc(const ConstView& view, bool transposed) {
  const Shape& s = view.shape;
  const std::int64_t outer = s[1] * s[2] * s[3];
  if (transposed)
    return Desc({s[3], s[0], s[1], s[2]}, kFloat, dnnl::memory::dims{1, outer, s[2] * s[3], s[3]});
  return Desc({s[0], s[3], s[1], s[2]}, kFloat, dnnl::memory::dims{outer, 1, s[2] * s[3], s[3]});
}

Desc vector_desc(const ConstView& view) {
  return Desc({view.shape.numel()}, kFloat, Tag::x);
}

Desc dense_nhwc(const Desc& desc) {
  return Desc(desc.dims(), kFloat, Tag::nhwc);
}

Desc any_layout(const Desc& desc) {
  return Desc(desc.dims(), kFloat, Tag::any);
}

Operand input(int argument, const Desc& desc, const ConstView& view) {
  return operand(argument, desc, view);
}

Operand output(int argument, const Desc& desc, const ConstView& view, Write write) {
  Operand result = operand(argument, desc, view);
  result.written = true;
  result.write = write;
  return result;
}

}  // namespace glia::onednn
