#include "kernels/onednn/library.h"

#include "engine/base/check.h"

namespace glia::onednn {

Library& library_of(const KernelContext& context) {
  check(context.vendor != nullptr, "onednn: this device was not opened with --backend onednn");
  return *static_cast<Library*>(context.vendor);
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_fpmath_mode(dnnl::fpmath_mode::strict);  // whatever the environment asks for
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

}  // namespace glia::onednn
