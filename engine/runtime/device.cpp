#include "engine/runtime/device.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/cores.h"
#include "engine/runtime/arena.h"
#include "kernels/cpu/table.h"

namespace glia {

Device::Device(std::string name, const KernelTable& kernels, std::shared_ptr<Allocator> allocator,
               int threads)
    : name_(std::move(name)),
      kernels_(nullptr),
      allocator_(std::move(allocator)),
      context_(allocator_->on_host() && allocator_->keeps_scratch() ? nullptr : allocator_.get(),
               allocator_->keeps_scratch()) {
  context_.threads = threads;
  allocator_->describe(context_);
  use(kernels);
}

void Device::use(const KernelTable& kernels) {
  kernels_ = &kernels;
  if (kernels.activations == DType::bf16) context_.precision = ConvPrecision::bf16;
}

void Device::limit_fusion(Fuse fuse) {
  fuse_ = fuse;
  if (fuse == Fuse::automatic || fuse == Fuse::s3) return;
  auto limited = std::make_unique<KernelTable>(*kernels_);
  limited->maps = fuse == Fuse::none ? Maps::none : std::min(limited->maps, Maps::written);
  limited->reads_map = nullptr;
  if (fuse != Fuse::s2) limited->maps_results = limited->gives_moments = false;
  limited_ = std::move(limited);
  kernels_ = limited_.get();
}

void Device::begin(Phase phase) {
  for (const auto& watcher : watchers_) watcher->begin(phase);
}

void Device::name(const ConstView& view, const std::string& parameter) {
  for (const auto& watcher : watchers_) watcher->name(view, parameter);
}

void Device::announce(const Shape& shape, DType dtype) {
  for (const auto& watcher : watchers_) watcher->announce(shape, dtype);
}

bool Device::before(const KernelCall& call) {
  bool computes = true;
  for (const auto& watcher : watchers_) computes = watcher->before(*this, call) && computes;
  return computes;
}

void Device::after(const KernelCall& call) {
  for (const auto& watcher : watchers_) watcher->after(*this, call);
}

bool Device::reads_map(const KernelInfo& kernel, const ConvGeometry& g) const {
  return kernels_->maps == Maps::read ||
         (kernels_->reads_map != nullptr && kernels_->reads_map(context_, kernel, g));
}

const char* Device::algorithm(const KernelCall& call) const {
  if (kernels_->algorithm == nullptr || call.convolution() == nullptr) return "";
  return kernels_->algorithm(context_, call.kernel(), *call.convolution());
}

int available_cores() {
  const int given = given_cores(), placed = cpu::cores_in_places();
  return placed > 0 ? std::min(placed, given) : given;  // places may name cores that are not there
}

int resolve_threads(int threads) {
  check(threads >= 0 && threads <= 1024, "--threads: found {}, expected 0 (every core) to 1024",
        threads);
  return threads == 0 ? available_cores() : threads;
}

const char* cpu_bf16_instructions() {
  return cpu::bf16_instruction_set();
}

bool cpu_bf16_mostly() {
  return cpu::bf16_mostly();
}

std::unique_ptr<Device> make_cpu_device(int threads) {
  return std::make_unique<Device>("cpu", cpu::table(), std::make_shared<ArenaAllocator>(),
                                  resolve_threads(threads));
}

std::unique_ptr<Device> make_cpu_device(int threads, const KernelTable& kernels,
                                        std::unique_ptr<Allocator> memory) {
  return std::make_unique<Device>("cpu", kernels,
                                  std::make_shared<CachingAllocator>(std::move(memory)),
                                  resolve_threads(threads));
}

}  // namespace glia
