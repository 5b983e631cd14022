#include "kernels/emu/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "engine/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(GLIA_EMU_ASSEMBLY)
// System V ABI: the callee-saved registers and the stack pointer are a whole context. The floating
// point control words are the process's and stay.
extern "C" void glia_fiber_switch(void** save, void* load);
asm(R"(
.text
.globl glia_fiber_switch
.type glia_fiber_switch, @function
glia_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size glia_fiber_switch, .-glia_fiber_switch
)");
#endif

namespace glia::emu {
namespace {

std::size_t page_bytes() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Fiber Fiber::this_thread() {
  Fiber fiber;
#if defined(__SANITIZE_ADDRESS__)
  pthread_attr_t attributes;
  void* stack = nullptr;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    pthread_attr_getstack(&attributes, &stack, &fiber.stack_bytes_);
    pthread_attr_destroy(&attributes);
  }
  fiber.stack_ = stack;
#endif
  return fiber;
}

void Fiber::prepare(std::byte* stack, std::size_t bytes, void (*entry)()) {
  stack_ = stack;
  stack_bytes_ = bytes;
  sanitizer_state_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack, bytes);
#endif
#if defined(GLIA_EMU_ASSEMBLY)
  // From the top: a null return address, which ends backtraces and leaves the entry function with
  // the alignment of a call; the entry's address for `ret`; six registers.
  auto* top = reinterpret_cast<void**>(stack + bytes) - 1;
  *top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  top -= 6;
  std::memset(top, 0, 6 * sizeof(void*));
  stack_pointer_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = bytes;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#endif
}

void Fiber::switch_to(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.sanitizer_state_, to.stack_, to.stack_bytes_);
#endif
#if defined(GLIA_EMU_ASSEMBLY)
  glia_fiber_switch(&from.stack_pointer_, to.stack_pointer_);
#else
  swapcontext(&from.context_, &to.context_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.sanitizer_state_, nullptr, nullptr);
#endif
}

void Fiber::entered() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

Stacks::Stacks(int count, std::size_t bytes_each) : count_(count), bytes_each_(bytes_each) {
  const std::size_t bytes = static_cast<std::size_t>(count) * bytes_each;
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(data != MAP_FAILED, "emu: cannot map {} MiB for {} thread stacks: {}", bytes >> 20, count,
        std::strerror(errno));
  data_ = static_cast<std::byte*>(data);
  for (int i = 0; i < count; ++i)
    mprotect(data_ + static_cast<std::size_t>(i) * bytes_each_, page_bytes(), PROT_NONE);
}

Stacks::~Stacks() {
  munmap(data_, static_cast<std::size_t>(count_) * bytes_each_);
}

std::byte* Stacks::stack(int i) const {
  return data_ + static_cast<std::size_t>(i) * bytes_each_ + page_bytes();
}

std::size_t Stacks::usable_bytes() const {
  return bytes_each_ - page_bytes();
}

}  // namespace glia::emu
