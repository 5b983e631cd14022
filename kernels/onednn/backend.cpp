#include "kernels/onednn/backend.h"

#include <fmt/format.h>

#include "kernels/cpu/table.h"
#include "kernels/onednn/kernels.h"
#include "kernels/onednn/library.h"
#include "kernels/onednn/operand.h"

namespace glia::onednn {

namespace {

void enter_convolutions(KernelTable& table) {
  table.conv2d_forward = conv2d_forward;
  table.conv2d_dgrad = conv2d_dgrad;
  table.conv2d_wgrad = conv2d_wgrad;
  table.conv_transpose2d_forward = conv_transpose2d_forward;
  table.conv_transpose2d_dgrad = conv_transpose2d_dgrad;
  table.conv_transpose2d_wgrad = conv_transpose2d_wgrad;
}

KernelTable overlay() {
  KernelTable table = cpu::table();
  table.name = "onednn";
  table.algorithm = nullptr;  // the library chooses
  table.maps = Maps::none;    // its convolutions do not
  enter_convolutions(table);
  table.batch_norm_forward_train = batch_norm_forward_train;
  table.batch_norm_backward_train = batch_norm_backward_train;
  return table;
}

/// Our kernel `entry` from x to y, where oneDNN may have either in its own layout only. What is not
/// wrapped like this must not be in a table beside BlockedCopies.
template <auto entry, class Args>
void store_and_run(KernelContext& context, const Args& a) {
  BlockedCopies& copies = library_of(context).copies();
  const Operand x = input(0, {}, a.x), y = input(0, {}, a.y);
  copies.store(x.data, x.bytes);
  copies.store(y.data, y.bytes);
  (cpu::table().*entry)(context, a);
  copies.forget(y.data, y.bytes);
}

/// And what happens around a call: glia bench empties the caches with `sum`, a backward pass starts
/// with `scale`.
KernelTable convolutions_alone() {
  KernelTable table{.name = "onednn-blocked",
                    .scale = store_and_run<&KernelTable::scale>,
                    .sum = store_and_run<&KernelTable::sum>};
  enter_convolutions(table);
  return table;
}

/// The system's, with the library that the kernels find through their context. Who reads or writes
/// tensors from outside does it here, so this is where the copies in oneDNN's layouts are told.
class Memory : public SystemAllocator {
 public:
  explicit Memory(Layouts layouts) : library_(std::make_unique<Library>(layouts)) {}

  void release(void* data, std::size_t bytes) override {
    copies().forget(data, bytes);
    SystemAllocator::release(data, bytes);
  }
  void copy_in(void* to, const void* from_host, std::size_t bytes) override {
    copies().store(to, bytes);
    SystemAllocator::copy_in(to, from_host, bytes);
    copies().forget(to, bytes);
  }
  void copy_out(void* to_host, const void* from, std::size_t bytes) override {
    copies().store(from, bytes);
    SystemAllocator::copy_out(to_host, from, bytes);
  }
  void fill(void* to, unsigned char value, std::size_t bytes) override {
    copies().store(to, bytes);
    SystemAllocator::fill(to, value, bytes);
    copies().forget(to, bytes);
  }
  void describe(KernelContext& context) const override { context.vendor = library_.get(); }

 private:
  BlockedCopies& copies() { return library_->copies(); }
  std::unique_ptr<Library> library_;
};

template <Layouts layouts>
std::unique_ptr<Allocator> open() {
  return std::make_unique<Memory>(layouts);
}

std::string version() {
  const dnnl_version_t* found = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", found->major, found->minor, found->patch);
}

}  // namespace

const CpuBackend& backend() {
  static const KernelTable kTable = overlay();
  static const CpuBackend kBackend = {
      .kernels = &kTable, .library = version(), .open = open<Layouts::nhwc>};
  return kBackend;
}

const CpuBackend& backend_blocked() {
  static const KernelTable kTable = convolutions_alone();
  static const CpuBackend kBackend = {
      .kernels = &kTable, .library = version(), .open = open<Layouts::blocked>};
  return kBackend;
}

}  // namespace glia::onednn
