// What a kernel may use besides its arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace glia {

class Allocator;

/// Scratch memory that survives from call to call and only grows, so that a steady training step
/// allocates nothing. Contents are undefined at each `reserve`; one kernel at a time uses it.
class Workspace {
 public:
  /// In the host's memory, or in the memory that `source` gives; that must outlive the workspace.
  explicit Workspace(Allocator* source = nullptr) : source_(source) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// At least `bytes` of 64-byte aligned memory (256 on a GPU). Throws `Error` when there is none.
  void* reserve(std::size_t bytes);
  std::size_t size() const { return size_; }

 private:
  Allocator* source_ = nullptr;
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
  explicit KernelContext(Allocator* memory = nullptr) : workspace(memory) {}

  int threads = 1;  // of the CPU backend
  ConvMethod conv = ConvMethod::automatic;
  ConvPrecision precision = ConvPrecision::fp32;
  Bf16Choice bf16 = Bf16Choice::automatic;
  void* stream = nullptr;   // cudaStream_t of the GPU backends
  int multiprocessors = 0;  // of the GPU; choices of launch sizes are functions of it
  void* vendor = nullptr;   // Library of the cudnn or onednn backend; null elsewhere
  Workspace workspace;
};

}  // namespace glia
