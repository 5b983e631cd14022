// PTX instructions as functions: inline assembly under nvcc, the emulator's equivalent otherwise.
// This and ptx_bf16.h, which it includes, are the only files with inline assembly. Names and
// semantics: NVIDIA's PTX ISA manual.
#pragma once

#include <cstdint>

#include "kernels/cuda/gpu.h"
#include "kernels/cuda/ptx_bf16.h"

#if defined(__CUDACC__)
#define GLIA_PTX __device__ __forceinline__
#define GLIA_CALLER
#else
#include "kernels/emu/async.h"
#include "kernels/emu/tensor_core.h"
#define GLIA_PTX inline
// Where the instruction stands in the kernel, for the emulator's reports.
#define GLIA_CALLER , emu::Site at = emu::Site::here()
#endif

namespace glia::ptx {

#if defined(__CUDACC__)
/// Shared-window address of a pointer to shared memory, as the instructions below take it.
GLIA_PTX std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}
#endif

// ---- cp.async (sm_80): copies from device to shared memory that a thread waits for by groups ----

/// Starts a copy of kBytes (4, 8 or 16; both addresses multiples of that). Without `valid` nothing
/// is read and the destination becomes zero. The data is there after cp_async_wait for this thread,
/// and after a barrier after that for the others.
template <int kBytes>
GLIA_PTX void cp_async(void* to_shared, const void* from, bool valid = true GLIA_CALLER) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
#if defined(__CUDACC__)
  const int from_bytes = valid ? kBytes : 0;
  if constexpr (kBytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to_shared)),
                 "l"(from), "r"(from_bytes)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to_shared)),
                 "l"(from), "n"(kBytes), "r"(from_bytes)
                 : "memory");
#else
  emu::cp_async(to_shared, from, kBytes, valid ? kBytes : 0, at);
#endif
}

/// Closes a group of this thread's copies. An empty group counts too.
GLIA_PTX void cp_async_commit() {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emu::cp_async_commit();
#endif
}

/// Waits until at most kPending of this thread's latest groups are still on their way.
template <int kPending>
GLIA_PTX void cp_async_wait() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#else
  emu::cp_async_wait(kPending);
#endif
}

// ---- addresses ----

/// threadIdx.x, as if it were not known yet: what follows from it is computed where it is needed,
/// not before the loops around, where it would take registers all the time.
GLIA_PTX int thread_again() {
#if defined(__CUDACC__)
  int thread;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
  return thread;
#else
  return static_cast<int>(threadIdx.x);
#endif
}

/// `index` times `bytes` after `base`, in one instruction: nvcc takes five where it cannot tell
/// that both factors have 32 bits. Where they lie outside any array nothing may be read.
template <class T>
GLIA_PTX const T* advanced(const T* base, int index, int bytes) {
#if defined(__CUDACC__)
  std::uint64_t address;
  asm("mad.wide.s32 %0, %1, %2, %3;"
      : "=l"(address)
      : "r"(index), "r"(bytes), "l"(reinterpret_cast<std::uint64_t>(base)));
  return reinterpret_cast<const T*>(address);
#else
  return reinterpret_cast<const T*>(reinterpret_cast<std::uintptr_t>(base) +
                                    static_cast<std::uintptr_t>(std::int64_t{index} * bytes));
#endif
}

// ---- ldmatrix and mma.sync: whole warps only ----

/// Loads kMatrices (1, 2 or 4) 8x8 matrices of 16-bit elements: lanes 8i…8i+7 give the 16-byte rows
/// of matrix i in shared memory. Lane 4r + c receives elements (r, 2c) and (r, 2c + 1) of matrix i
/// in registers[i]; with kTransposed elements (2c, r) and (2c + 1, r).
template <int kMatrices, bool kTransposed = false>
GLIA_PTX void ldmatrix(std::uint32_t (&registers)[kMatrices], const void* row GLIA_CALLER) {
  static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4);
#if defined(__CUDACC__)
  const std::uint32_t address = shared_address(row);
  if constexpr (kMatrices == 1 && !kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
                 : "=r"(registers[0])
                 : "r"(address)
                 : "memory");
  else if constexpr (kMatrices == 1)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                 : "=r"(registers[0])
                 : "r"(address)
                 : "memory");
  else if constexpr (kMatrices == 2 && !kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(registers[0]), "=r"(registers[1])
                 : "r"(address)
                 : "memory");
  else if constexpr (kMatrices == 2)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(registers[0]), "=r"(registers[1])
                 : "r"(address)
                 : "memory");
  else if constexpr (!kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(address)
                 : "memory");
#else
  emu::ldmatrix(registers, kMatrices, kTransposed, row, at);
#endif
}

/// d (16x8, f32) += a (16x16, bf16, rows) * b (16x8, bf16, columns). Lane 4g + t holds
///   a[0]: (g, 2t..2t+1)  a[1]: (g+8, 2t..)  a[2]: (g, 2t+8..)  a[3]: (g+8, 2t+8..)
///   b[0]: (2t..2t+1, g)  b[1]: (2t+8.., g)
///   d[0..1]: (g, 2t..2t+1)  d[2..3]: (g+8, 2t..2t+1)
GLIA_PTX void mma_bf16_m16n8k16(float (&d)[4], const std::uint32_t (&a)[4],
                                const std::uint32_t (&b)[2] GLIA_CALLER) {
#if defined(__CUDACC__)
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emu::mma_bf16_m16n8k16(d, a, b, at);
#endif
}

/// d (16x8, f32) += a (16x8, tf32, rows) * b (8x8, tf32, columns). Operands are f32 bit patterns;
/// hardware ignores their low 13 bits (round with nearest_tf32 first). Lane 4g + t holds
///   a[0]: (g, t)  a[1]: (g+8, t)  a[2]: (g, t+4)  a[3]: (g+8, t+4);  b[0]: (t, g)  b[1]: (t+4, g);
/// d as for bf16.
GLIA_PTX void mma_tf32_m16n8k8(float (&d)[4], const std::uint32_t (&a)[4],
                               const std::uint32_t (&b)[2] GLIA_CALLER) {
#if defined(__CUDACC__)
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emu::mma_tf32_m16n8k8(d, a, b, at);
#endif
}

/// The tf32 value nearest to x, ties away from zero, as an f32 bit pattern. NaN stays NaN, which it
/// would not if half a unit were added to its bits; one that only its low bits tell from infinity
/// becomes that.
GLIA_PTX std::uint32_t to_tf32(float x) {
#if defined(__CUDACC__)
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  const std::uint32_t bits = __float_as_uint(x), half = std::isfinite(x) ? 0x1000u : 0;
  return (bits + half) & 0xFFFFE000u;
#endif
}

/// The tf32 value nearest to x as an f32 bit pattern, in one instruction on sm_90: ties go to even
/// there, away from zero before. NaN stays NaN.
GLIA_PTX std::uint32_t nearest_tf32(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  return to_tf32(x);
#elif defined(__CUDACC__)
  std::uint32_t bits;
  asm("cvt.rn.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  const std::uint32_t bits = __float_as_uint(x);
  return x == x ? (bits + 0xFFFu + (bits >> 13 & 1u)) & 0xFFFFE000u : 0x7FFFFFFFu;
#endif
}

#if !defined(__CUDACC__) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
/// The way back of ldmatrix (sm_90): stores kMatrices (1, 2 or 4) 8x8 matrices of 16-bit elements.
/// Lanes 8i…8i+7 give the 16-byte rows of matrix i in shared memory; lane 4r + c holds in
/// registers[i] elements (r, 2c) and (r, 2c + 1), with kTransposed (2c, r) and (2c + 1, r).
template <int kMatrices, bool kTransposed = false>
GLIA_PTX void stmatrix(void* row, const std::uint32_t (&registers)[kMatrices] GLIA_CALLER) {
  static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4);
#if defined(__CUDACC__)
  const std::uint32_t address = shared_address(row);
  if constexpr (kMatrices == 1 && !kTransposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%0], {%1};" ::"r"(address),
                 "r"(registers[0])
                 : "memory");
  else if constexpr (kMatrices == 1)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" ::"r"(address),
                 "r"(registers[0])
                 : "memory");
  else if constexpr (kMatrices == 2 && !kTransposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" ::"r"(address),
                 "r"(registers[0]), "r"(registers[1])
                 : "memory");
  else if constexpr (kMatrices == 2)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(address),
                 "r"(registers[0]), "r"(registers[1])
                 : "memory");
  else if constexpr (!kTransposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
                 "r"(registers[0]), "r"(registers[1]), "r"(registers[2]), "r"(registers[3])
                 : "memory");
  else
    asm volatile(
        "stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
        "r"(registers[0]), "r"(registers[1]), "r"(registers[2]), "r"(registers[3])
        : "memory");
#else
  emu::stmatrix(row, kMatrices, kTransposed, registers, at);
#endif
}
#endif

// ---- mbarrier and bulk copies (sm_90; mbarriers without bytes sm_80) ----

/// Counts arrivals, and bytes of copies, phase after phase. Lives in shared memory; one thread
/// initialises it, and a block barrier stands between that and the first use.
struct alignas(8) Mbarrier {
  std::uint64_t word;
};

/// Every phase completes with `count` arrivals and all expected bytes.
GLIA_PTX void mbarrier_init(Mbarrier* barrier, std::uint32_t count GLIA_CALLER) {
#if defined(__CUDACC__)
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(count)
               : "memory");
#else
  emu::mbarrier_init(barrier, count, at);
#endif
}

/// One arrival. What this thread did before is visible to those who wait for the phase.
GLIA_PTX void mbarrier_arrive(Mbarrier* barrier GLIA_CALLER) {
#if defined(__CUDACC__)
  asm volatile(
      "{\n"
      ".reg .b64 state;\n"
      "mbarrier.arrive.shared.b64 state, [%0];\n"
      "}\n" ::"r"(shared_address(barrier))
      : "memory");
#else
  emu::mbarrier_arrive(barrier, 0, at);
#endif
}

/// Waits until the phase with this parity has completed: 0 for the first, 1 for the second, and so
/// on in turn. Waiting for parity 1 on a fresh barrier returns at once.
GLIA_PTX void mbarrier_wait(Mbarrier* barrier, std::uint32_t parity GLIA_CALLER) {
#if defined(__CUDACC__)
  const std::uint32_t address = shared_address(barrier);
  std::uint32_t done = 0;
  while (!done)
    asm volatile(
        "{\n"
        ".reg .pred p;\n"
#if __CUDA_ARCH__ >= 900
        "mbarrier.try_wait.parity.shared.b64 p, [%1], %2;\n"
#else
        "mbarrier.test_wait.parity.shared.b64 p, [%1], %2;\n"
#endif
        "selp.u32 %0, 1, 0, p;\n"
        "}\n"
        : "=r"(done)
        : "r"(address), "r"(parity)
        : "memory");
#else
  emu::mbarrier_wait(barrier, parity, at);
#endif
}

#if !defined(__CUDACC__) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900

/// One arrival that adds `bytes` of copies to what the phase waits for.
GLIA_PTX void mbarrier_arrive_expect_bytes(Mbarrier* barrier, std::uint32_t bytes GLIA_CALLER) {
#if defined(__CUDACC__)
  asm volatile(
      "{\n"
      ".reg .b64 state;\n"
      "mbarrier.arrive.expect_tx.shared.b64 state, [%0], %1;\n"
      "}\n" ::"r"(shared_address(barrier)),
      "r"(bytes)
      : "memory");
#else
  emu::mbarrier_arrive(barrier, bytes, at);
#endif
}

/// Makes initialised mbarriers visible to the copy engine; before the block barrier.
GLIA_PTX void fence_mbarrier_init() {
#if defined(__CUDACC__)
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

/// Orders this thread's ordinary accesses to shared memory before later accesses of the copy
/// engine. The emulator does not check that it is there.
GLIA_PTX void fence_proxy_async() {
#if defined(__CUDACC__)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

/// Starts a copy by the copy engine (TMA, one-dimensional) of `bytes`, a multiple of 16 like both
/// addresses. Its bytes count towards `barrier`'s current phase.
GLIA_PTX void bulk_copy(void* to_shared, const void* from, std::uint32_t bytes,
                        Mbarrier* barrier GLIA_CALLER) {
#if defined(__CUDACC__)
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
          "r"(shared_address(to_shared)),
      "l"(from), "r"(bytes), "r"(shared_address(barrier))
      : "memory");
#else
  emu::bulk_copy(to_shared, from, bytes, barrier, at);
#endif
}

#endif

}  // namespace glia::ptx

#undef GLIA_PTX
#undef GLIA_CALLER
