// What kernel sources see under a host compiler in place of nvcc's built-ins, with CUDA's names.
// Included by kernels/cuda/gpu.h; nothing else needs it.
#pragma once

#include <cuda_runtime.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/emu/block.h"
#include "kernels/emu/launch_bounds.h"
#include "kernels/emu/race.h"

// Shared memory belongs to the emulator: one struct a kernel, through gpu::shared<Smem>().
#undef __shared__
#define __shared__ glia_use_gpu_shared_instead_of___shared__

// Real variables, so that a debugger can compare them in a breakpoint's condition.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = glia::emu::kWarp;

// Atomics do the plain operation: threads switch only where they wait. The checker must see them as
// atomics, not as the reads and writes that they consist of.
#define GLIA_UNCHECKED __attribute__((no_sanitize("thread")))
#define GLIA_AT glia::emu::Site at = glia::emu::Site::here()

namespace glia::emu {

/// Lane values of a shuffle on their way; `source` is the lane read from.
struct Shuffle {
  std::uint64_t value = 0, result = 0;
  int source = 0;
};
void shuffle_lanes(std::uint32_t mask, const char* operation, Site at, Shuffle& mine);

/// Lane of the running thread in its warp.
int lane();
std::uint32_t ballot(std::uint32_t mask, const char* operation, Site at, int predicate);

template <class T>
GLIA_UNCHECKED T shuffle_value(std::uint32_t mask, const char* operation, Site at, T value,
                               int source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  Shuffle mine;
  std::memcpy(&mine.value, &value, sizeof value);
  mine.source = source;
  shuffle_lanes(mask, operation, at, mine);
  std::memcpy(&value, &mine.result, sizeof value);
  return value;
}

template <class T, class Change>
GLIA_UNCHECKED T atomically(T* address, Site at, Change change) {
  race::access(address, sizeof(T), race::Access::atomic, at);
  const T old = *address;
  *address = change(old);
  return old;
}

}  // namespace glia::emu

// Barriers and warp-wide instructions.
inline void __syncthreads(GLIA_AT) {
  glia::emu::block_barrier(glia::emu::Vote::none, 0, at);
}
inline int __syncthreads_count(int predicate, GLIA_AT) {
  return glia::emu::block_barrier(glia::emu::Vote::count, predicate, at);
}
inline int __syncthreads_and(int predicate, GLIA_AT) {
  return glia::emu::block_barrier(glia::emu::Vote::all, predicate, at);
}
inline int __syncthreads_or(int predicate, GLIA_AT) {
  return glia::emu::block_barrier(glia::emu::Vote::any, predicate, at);
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, GLIA_AT) {
  glia::emu::meet(mask, "__syncwarp", at, nullptr, nullptr, true);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, GLIA_AT) {
  const int first = glia::emu::lane() & ~(width - 1);
  return glia::emu::shuffle_value(mask, "__shfl_sync", at, value, first + (source & (width - 1)));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, GLIA_AT) {
  const int lane = glia::emu::lane(), source = lane ^ lanes;
  const bool inside = source < (lane & ~(width - 1)) + width;
  return glia::emu::shuffle_value(mask, "__shfl_xor_sync", at, value, inside ? source : lane);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, GLIA_AT) {
  const int lane = glia::emu::lane(), source = lane + static_cast<int>(by);
  const bool inside = source < (lane & ~(width - 1)) + width;
  return glia::emu::shuffle_value(mask, "__shfl_down_sync", at, value, inside ? source : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, GLIA_AT) {
  const int lane = glia::emu::lane(), source = lane - static_cast<int>(by);
  const bool inside = source >= (lane & ~(width - 1));
  return glia::emu::shuffle_value(mask, "__shfl_up_sync", at, value, inside ? source : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, GLIA_AT) {
  return glia::emu::ballot(mask, "__ballot_sync", at, predicate);
}
inline int __any_sync(unsigned mask, int predicate, GLIA_AT) {
  return glia::emu::ballot(mask, "__any_sync", at, predicate) != 0;
}
inline int __all_sync(unsigned mask, int predicate, GLIA_AT) {
  return glia::emu::ballot(mask, "__all_sync", at, predicate) == mask;
}
// Fences order one thread's accesses as others may see them. Memory here is sequentially consistent
// and the checker takes no fence for a barrier, so there is nothing to do.
inline void __threadfence() {}
inline void __threadfence_block() {}

// Atomics.
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value, GLIA_AT) {
  return glia::emu::atomically(address, at, [=](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value, GLIA_AT) {
  return glia::emu::atomically(address, at, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value, GLIA_AT) {
  return glia::emu::atomically(address, at, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value, GLIA_AT) {
  return glia::emu::atomically(address, at, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value, GLIA_AT) {
  return glia::emu::atomically(address, at, [=](T old) { return old == expected ? value : old; });
}
template <class T>
T atomicOr(T* address, std::type_identity_t<T> value, GLIA_AT) {
  return glia::emu::atomically(address, at, [=](T old) { return static_cast<T>(old | value); });
}

// Arithmetic. The fast intrinsics are as exact as the ordinary functions here.
inline float __expf(float x) {
  return std::exp(x);
}
inline float __logf(float x) {
  return std::log(x);
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __saturatef(float x) {
  return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f;
}
inline float __fmaf_rn(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline int __popc(unsigned x) {
  return std::popcount(x);
}
inline int __clz(int x) {
  return std::countl_zero(static_cast<unsigned>(x));
}
inline int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}
inline unsigned __float_as_uint(float x) {
  return std::bit_cast<unsigned>(x);
}
inline float __uint_as_float(unsigned x) {
  return std::bit_cast<float>(x);
}
inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
inline float __int_as_float(int x) {
  return std::bit_cast<float>(x);
}
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
constexpr T min(T a, std::type_identity_t<T> b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, std::type_identity_t<T> b) {
  return a < b ? b : a;
}

#undef GLIA_AT
