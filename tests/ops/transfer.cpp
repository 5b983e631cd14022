#include "tests/ops/transfer.h"

namespace glia::test {

namespace {

/// The host's copy of the memory from a view's first to its last element.
class HostCopy {
 public:
  explicit HostCopy(const Tensor& tensor) : tensor_(tensor), view_(tensor.view()) {
    if (view_.rows() == 0) return;
    const std::int64_t elements = (view_.rows() - 1) * view_.pitch + view_.channels();
    bytes_.resize(static_cast<std::size_t>(elements) * size_of(view_.dtype));
    tensor.device().allocator().copy_out(bytes_.data(), view_.data, bytes_.size());
  }
  View view() {
    View host = view_;
    host.data = bytes_.data();
    return host;
  }
  void write_back() {
    tensor_.device().allocator().copy_in(view_.data, bytes_.data(), bytes_.size());
  }

 private:
  Tensor tensor_;
  View view_;
  std::vector<std::byte> bytes_;
};

}  // namespace

reference::Values load(const Tensor& tensor) {
  return reference::load(HostCopy(tensor).view());
}

void store(const reference::Values& values, const Tensor& tensor) {
  HostCopy copy(tensor);
  reference::store(values, copy.view());
  copy.write_back();
}

}  // namespace glia::test
