// A GPU's memory, the stream on which everything for it is queued, and one for copies beside it.
#pragma once

#include <array>

#include "kernels/api/memory.h"
#include "kernels/cuda/launch.h"

namespace glia::GLIA_GPU {

/// Copies to the GPU go through pinned buffers in turn, so that the host fills one while others are
/// on their way. There are more than two, since the small ones of a step wait for the step before
/// it, and the host shall not.
class Memory : public Allocator {
 public:
  /// Throws `Error` when there is no GPU `index` or it cannot run these kernels.
  explicit Memory(int index);
  ~Memory() override;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void* allocate(std::size_t bytes) override;
  void release(void* data, std::size_t bytes) override;
  void copy_in(void* to, const void* from_host, std::size_t bytes) override;
  void copy_out(void* to_host, const void* from, std::size_t bytes) override;
  void copy_in_beside(void* to, const void* from_host, std::size_t bytes) override;
  void fill(void* to, unsigned char value, std::size_t bytes) override;
  void synchronize() override;
  void make_current() override;
  void describe(KernelContext& context) const override;
  std::optional<std::size_t> available() const override;
  bool on_host() const override { return false; }
  bool can_capture() const override { return true; }
  std::unique_ptr<Graph> capture(const std::function<void()>& work) override;
  std::unique_ptr<Timer> make_timer() override;
  std::string pci_address() const override;
  std::unique_ptr<Readback> make_readback(std::size_t bytes) override;
  void log_launches(std::vector<const char*>* names) override;

 private:
  struct Staging {
    void* data = nullptr;
    cudaEvent_t free = nullptr;  // the copy from here has happened
  };
  void copy_in_on(cudaStream_t stream, void* to, const void* from_host, std::size_t bytes);

  int index_, multiprocessors_ = 0;
  std::int64_t block_memory_ = 0;
  cudaStream_t stream_ = nullptr, copy_stream_ = nullptr;
  cudaEvent_t copied_ = nullptr;  // the last copy beside the stream
  std::array<Staging, 8> staging_;
  std::size_t next_ = 0;
  bool capturing_ = false;
};

}  // namespace glia::GLIA_GPU
