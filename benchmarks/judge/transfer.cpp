#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

/// From a view's first to its last element, with what lies between its rows.
std::size_t bytes_of(const ConstView& view) {
  if (view.rows() == 0) return 0;
  return static_cast<std::size_t>((view.rows() - 1) * view.pitch + view.channels()) *
         size_of(view.dtype);
}

std::vector<std::byte> host_copy(const ConstView& view, Allocator& allocator) {
  std::vector<std::byte> bytes(bytes_of(view));
  if (!bytes.empty()) allocator.copy_out(bytes.data(), view.data, bytes.size());
  return bytes;
}

}  // namespace

reference::Values load(const ConstView& view, Allocator& allocator) {
  const std::vector<std::byte> bytes = host_copy(view, allocator);
  ConstView host = view;
  host.data = bytes.data();
  return reference::load(host);
}

void store(const reference::Values& values, const View& view, Allocator& allocator) {
  std::vector<std::byte> bytes = host_copy(view, allocator);
  View host = view;
  host.data = bytes.data();
  reference::store(values, host);
  if (!bytes.empty()) allocator.copy_in(view.data, bytes.data(), bytes.size());
}

reference::Values load(const Tensor& tensor) {
  return load(tensor.view(), tensor.device().allocator());
}

void store(const reference::Values& values, const Tensor& tensor) {
  store(values, tensor.view(), tensor.device().allocator());
}

}  // namespace glia::test
