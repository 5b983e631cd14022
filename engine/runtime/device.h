// A place where tensors live and kernels run: a kernel table, memory and a context.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/allocator.h"
#include "engine/runtime/modes.h"
#include "engine/runtime/watch.h"

namespace glia {

class Communicator;

class Device {
 public:
  /// `threads` are those of the CPU backend. With kernels whose activations are bf16 the context's
  /// precision is bf16, otherwise fp32 until somebody changes it.
  Device(std::string name, const KernelTable& kernels, std::shared_ptr<Allocator> allocator,
         int threads);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }
  const KernelTable& kernels() const { return *kernels_; }
  /// Before there are tensors: another table of the same backend (KernelTable::in_bf16). With bf16
  /// activations the context's precision is bf16 from now on.
  void use(const KernelTable& kernels);
  /// Before there are tensors: fuses no more than that. Where `fuse` is automatic nothing changes.
  void limit_fusion(Fuse fuse);
  Fuse fusion() const { return fuse_; }
  Allocator& allocator() { return *allocator_; }
  const std::shared_ptr<Allocator>& shared_allocator() { return allocator_; }
  KernelContext& context() { return context_; }
  /// From here on this device computes its rank's part of every batch. Null: whole batches. Before
  /// there are parameters; the ranks must outlive the device.
  void join(Communicator* ranks) { ranks_ = ranks; }
  Communicator* ranks() const { return ranks_; }
  void set_memory_mode(MemoryMode mode) { memory_mode_ = mode; }
  MemoryMode memory_mode() const { return memory_mode_; }
  /// Waits until every kernel and copy that was queued has finished.
  void synchronize() { allocator_->synchronize(); }

  bool can_capture() const { return allocator_->can_capture(); }
  /// Records what `work` queues as a graph; see `Allocator::capture`.
  std::unique_ptr<Graph> capture(const std::function<void()>& work) {
    return allocator_->capture(work);
  }

  /// Lets `watcher` see every call from now on. Work on a watched device is not captured.
  void watch(std::shared_ptr<Watcher> watcher) { watchers_.push_back(std::move(watcher)); }
  bool watched() const { return !watchers_.empty(); }
  /// What the watchers are told; `before` gives whether all of them want the call computed.
  void begin(Phase phase);
  void name(const ConstView& view, const std::string& parameter);
  void announce(const Shape& shape, DType dtype);
  bool before(const KernelCall& call);
  void after(const KernelCall& call);
  /// Whether this convolution kernel reads x through a map (read_map.h) at this geometry.
  bool reads_map(const KernelInfo& kernel, const ConvGeometry& g) const;
  /// How the backend computes a convolution, "winograd" for instance; "" for other kernels and
  /// where the backend does not say.
  const char* algorithm(const KernelCall& call) const;

 private:
  std::string name_;
  const KernelTable* kernels_ = nullptr;
  std::unique_ptr<KernelTable> limited_;  // the table in use, where fusion is limited
  std::shared_ptr<Allocator> allocator_;
  KernelContext context_;
  Fuse fuse_ = Fuse::automatic;
  MemoryMode memory_mode_ = MemoryMode::automatic;
  Communicator* ranks_ = nullptr;
  std::vector<std::shared_ptr<Watcher>> watchers_;
};

/// The CPU device in an arena. `threads` 0 means every core this process may use.
std::unique_ptr<Device> make_cpu_device(int threads = 0);
/// With other kernels and a cache of the memory that goes with them.
std::unique_ptr<Device> make_cpu_device(int threads, const KernelTable& kernels,
                                        std::unique_ptr<Allocator> memory);

/// The instructions with which the CPU device multiplies in bf16 on this machine; null where it has
/// none.
const char* cpu_bf16_instructions();
/// Whether most convolutions gain by them: with AMX.
bool cpu_bf16_mostly();

/// Cores that this process may run on: those of OpenMP's places if the environment names any, else
/// those that it was started on (not the machine's count).
int available_cores();
/// The number of threads that --threads means: 0 is every core. Throws `Error` where it is none.
int resolve_threads(int threads);

}  // namespace glia
