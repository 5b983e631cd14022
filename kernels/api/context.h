// What a kernel may use besides its arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace glia {

class Allocator;

/// Scratch memory of the kernel that runs. It survives from call to call and only grows, so that a
/// steady training step allocates nothing; or, where the source is an arena, it goes back after
/// each call. Contents are undefined at each `reserve`; one kernel at a time uses it.
class Workspace {
 public:
  /// In the host's memory, or in the memory that `source` gives; that must outlive the workspace.
  explicit Workspace(Allocator* source = nullptr, bool keeps = true)
      : source_(source), keeps_(keeps) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// At least `bytes` of 64-byte aligned memory (256 on a GPU). Throws `Error` when there is none.
  void* reserve(std::size_t bytes);
  /// The kernel that reserved it has returned.
  void finish_call();
  std::size_t size() const { return size_; }

 private:
  Allocator* source_ = nullptr;
  bool keeps_ = true;
  void* data_ = nullptr;
  std::size_t size_ = 0;
  // Smaller blocks of before: recorded graphs may still use them.
  std::vector<std::pair<void*, std::size_t>> outgrown_;
};

/// How the CPU backend computes a convolution: by the definition, by Winograd's algorithm wherever
/// its kernels fit, or by whichever is faster for the geometry. The GPU backends choose themselves.
enum class ConvMethod : std::uint8_t { automatic, direct, winograd };

/// In what the convolutions of the CPU backend multiply: in bf16 both operands are rounded to it
/// while they are read, and products are summed up in fp32. Tensors are fp32 either way.
enum class ConvPrecision : std::uint8_t { fp32, bf16 };

/// The instructions of bf16: the best that the processor has, or, for tests, certain ones. The
/// portable ones are plain C++.
enum class Bf16Choice : std::uint8_t { automatic, amx, avx512, portable };

struct KernelContext {
  explicit KernelContext(Allocator* memory = nullptr, bool keeps_scratch = true)
      : workspace(memory, keeps_scratch) {}

  int threads = 1;  // of the CPU backend
  /// The CPU's convolutions reserve their scratch memory and return: how a plan learns its size.
  bool dry_run = false;
  ConvMethod conv = ConvMethod::automatic;
  ConvPrecision precision = ConvPrecision::fp32;
  Bf16Choice bf16 = Bf16Choice::automatic;
  void* stream = nullptr;   // cudaStream_t of the GPU backends
  int multiprocessors = 0;  // of the GPU; choices of launch sizes are functions of it
  void* vendor = nullptr;   // Library of the cudnn or onednn backend; null elsewhere
  Workspace workspace;
};

}  // namespace glia
