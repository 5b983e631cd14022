// What oneDNN 3 writes otherwise than 2: primitives are described by constructors without an
// operation descriptor of their own, and memory descriptors tell their contents by functions.
#pragma once

#include <dnnl.hpp>

#include <vector>

namespace glia::onednn {

/// Extents and the distances between neighbours along each, in elements.
inline std::vector<std::int64_t> layout_of(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  std::vector<std::int64_t> numbers = desc.get_dims();
  const std::vector<std::int64_t> strides = desc.get_strides();
  numbers.insert(numbers.end(), strides.begin(), strides.end());
#else
  const dnnl_memory_desc_t& d = desc.data;
  const auto& strides = d.format_desc.blocking.strides;
  std::vector<std::int64_t> numbers(d.dims, d.dims + d.ndims);
  numbers.insert(numbers.end(), strides, strides + d.ndims);
#endif
  return numbers;
}

/// A primitive descriptor: `parts` describe the operation, `hint` is that of the forward pass where
/// the primitive is of a backward pass.
template <class PrimitiveDesc, class... Parts>
PrimitiveDesc describe_forward(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                               const Parts&... parts) {
#if DNNL_VERSION_MAJOR >= 3
  return PrimitiveDesc(engine, parts..., attr);
#else
  return PrimitiveDesc({parts...}, attr, engine);
#endif
}
template <class PrimitiveDesc, class Hint, class... Parts>
PrimitiveDesc describe_backward(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                const Hint& hint, const Parts&... parts) {
#if DNNL_VERSION_MAJOR >= 3
  return PrimitiveDesc(engine, parts..., hint, attr);
#else
  return PrimitiveDesc({parts...}, attr, engine, hint);
#endif
}

}  // namespace glia::onednn
