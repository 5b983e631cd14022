// Cooperative threads on one OS thread: ten instructions a switch on x86-64, ucontext elsewhere.
#pragma once

#include <cstddef>

// GLIA_EMU_UCONTEXT forces the portable way, to test it.
#if defined(__x86_64__) && !defined(GLIA_EMU_UCONTEXT)
#define GLIA_EMU_ASSEMBLY 1
#else
#include <ucontext.h>
#endif

namespace glia::emu {

class Fiber {
 public:
  /// Makes the fiber start `entry` on `stack` when it is next switched to. `entry` never returns.
  /// What ran on the stack before is abandoned without running destructors.
  void prepare(std::byte* stack, std::size_t bytes, void (*entry)());

  /// A fiber that stands for the OS thread that calls this, to switch from and back to.
  static Fiber this_thread();

  /// Suspends `from`, which must be the running fiber, and resumes `to`.
  static void switch_to(Fiber& from, Fiber& to);

  /// The first thing an entry function calls (AddressSanitizer learns of the new stack).
  static void entered();

 private:
#if defined(GLIA_EMU_ASSEMBLY)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
  const void* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  void* sanitizer_state_ = nullptr;
};

/// One mapping of equal stacks, a page that must not be touched below each.
class Stacks {
 public:
  Stacks(int count, std::size_t bytes_each);
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  /// Lowest usable address of stack `i`; `usable_bytes()` follow.
  std::byte* stack(int i) const;
  std::size_t usable_bytes() const;
  std::byte* begin() const { return data_; }
  std::byte* end() const { return data_ + static_cast<std::size_t>(count_) * bytes_each_; }

 private:
  std::byte* data_ = nullptr;
  int count_;
  std::size_t bytes_each_;
};

}  // namespace glia::emu
