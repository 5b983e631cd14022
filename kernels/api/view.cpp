#include "kernels/api/view.h"

#include "engine/base/check.h"

namespace glia {

void refuse_type(DType holds, DType asked) {
  fail(
      "a view of {} elements is used as {}: a kernel took the wrong tensor, or has no variant for "
      "this type",
      name_of(holds), name_of(asked));
}

}  // namespace glia
