// What a kernel may use besides its arguments.
#pragma once

#include <cstddef>

namespace glia {

/// Scratch memory that survives from call to call and only grows, so that a steady training step
/// allocates nothing. Contents are undefined at each `reserve`; one kernel at a time uses it.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// At least `bytes` of 64-byte aligned memory. Throws `Error` when there is none.
  void* reserve(std::size_t bytes);
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

struct KernelContext {
  int threads = 1;
  Workspace workspace;
};

}  // namespace glia
