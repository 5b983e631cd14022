// What the compiler calls around every load and store of code built with -fsanitize=thread. In
// place of ThreadSanitizer's library, which knows nothing of CUDA's rules, the race checker
// answers.
#include <cstddef>
#include <cstdint>

#include "kernels/emu/places.h"
#include "kernels/emu/race.h"

using glia::emu::race::Access;
using glia::emu::race::Count;

#define GLIA_PLACE glia::emu::place_of(__builtin_return_address(0))
#define GLIA_HOOK(name, bytes, kind)                                   \
  void __tsan_##name(void* address) {                                  \
    glia::emu::race::access(address, bytes, Access::kind, GLIA_PLACE); \
  }
#define GLIA_HOOKS(bytes)                         \
  GLIA_HOOK(read##bytes, bytes, read)             \
  GLIA_HOOK(write##bytes, bytes, write)           \
  GLIA_HOOK(unaligned_read##bytes, bytes, read)   \
  GLIA_HOOK(unaligned_write##bytes, bytes, write) \
  GLIA_HOOK(volatile_read##bytes, bytes, read)    \
  GLIA_HOOK(volatile_write##bytes, bytes, write)

// Host code of instrumented sources uses C++ atomics (initialisation of statics, reference counts).
// Kernels use atomicAdd and its kin, so that here the plain operation is all there is to do.
#define GLIA_ATOMICS(bits, type)                                                                   \
  type __tsan_atomic##bits##_load(const volatile type* a, int) {                                   \
    return __atomic_load_n(a, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                \
  void __tsan_atomic##bits##_store(volatile type* a, type v, int) {                                \
    __atomic_store_n(a, v, __ATOMIC_SEQ_CST);                                                      \
  }                                                                                                \
  type __tsan_atomic##bits##_exchange(volatile type* a, type v, int) {                             \
    return __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST);                                            \
  }                                                                                                \
  type __tsan_atomic##bits##_fetch_add(volatile type* a, type v, int) {                            \
    return __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST);                                             \
  }                                                                                                \
  type __tsan_atomic##bits##_fetch_sub(volatile type* a, type v, int) {                            \
    return __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST);                                             \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* a, type* c, type v, int, int) { \
    return __atomic_compare_exchange_n(a, c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* a, type* c, type v, int o,        \
                                                  int f) {                                         \
    return __tsan_atomic##bits##_compare_exchange_strong(a, c, v, o, f);                           \
  }

extern "C" {

/// Every instrumented object calls this as the program starts.
void __tsan_init() {
  glia::emu::race::on = true;
}

void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

GLIA_HOOKS(1)
GLIA_HOOKS(2)
GLIA_HOOKS(4)
GLIA_HOOKS(8)
GLIA_HOOKS(16)

// Structs of other sizes, or less aligned than one instruction needs.
void __tsan_read_range(void* address, std::size_t bytes) {
  glia::emu::race::access(address, bytes, Access::read, GLIA_PLACE, Count::by_words);
}
void __tsan_write_range(void* address, std::size_t bytes) {
  glia::emu::race::access(address, bytes, Access::write, GLIA_PLACE, Count::by_words);
}

GLIA_ATOMICS(8, std::uint8_t)
GLIA_ATOMICS(16, std::uint16_t)
GLIA_ATOMICS(32, std::uint32_t)
GLIA_ATOMICS(64, std::uint64_t)

void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"
