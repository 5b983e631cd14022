// Work of a known amount that keeps one part of a GPU busy and does nothing else, to measure what
// that part does at best.
#pragma once

#include <cstddef>
#include <cstdint>

namespace glia {

struct KernelContext;

/// In what products are formed; they are summed up in fp32. tf32 and bf16 are those of matrix
/// units: ten and seven bits of mantissa in the operands.
enum class Arithmetic : std::uint8_t { fp32, tf32, bf16 };

constexpr const char* name_of(Arithmetic arithmetic) {
  constexpr const char* kNames[] = {"fp32", "tf32", "bf16"};
  return kNames[static_cast<int>(arithmetic)];
}

/// A result in float64, and how far the computed one may be from it.
struct ExpectedResult {
  double value = 0, bound = 0;
};

/// Everything is queued on the context's stream.
struct PeakWork {
  /// How many results the multiply-adds have on each of the context's multiprocessors, the same on
  /// all of them.
  int results = 0;
  /// What computes them: "FFMA in registers".
  const char* (*instruction)(Arithmetic) = nullptr;
  /// So many rounds of independent multiply-adds, in registers, on every multiprocessor. Each of
  /// `results`, floats in the GPU's memory, depends on all that its thread did. Returns the number
  /// of operations, a multiply-add counting 2.
  double (*multiply_adds)(const KernelContext&, Arithmetic, int rounds, float* results) = nullptr;
  /// What that leaves in results[index] of every multiprocessor. Takes as long as the thread's
  /// arithmetic.
  ExpectedResult (*expected)(Arithmetic, int rounds, std::int64_t index) = nullptr;
  /// A copy within the GPU's memory as the driver does it.
  void (*copy)(const KernelContext&, void* to, const void* from, std::size_t bytes) = nullptr;
  /// c = a b for square matrices of `extent` rows, dense, by the vendor's library. For bf16 the
  /// elements of all three are bf16, else float. Null for our kernels, which have no such product.
  void (*product)(KernelContext&, Arithmetic, std::int64_t extent, const void* a, const void* b,
                  void* c) = nullptr;
  const char* product_by = nullptr;  // "cuBLAS"
};

}  // namespace glia
