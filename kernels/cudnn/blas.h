// cuBLAS, for the convolutions that are matrix products as they stand.
#pragma once

#include <cublas_v2.h>

#include <string>

#include "kernels/api/context.h"
#include "kernels/api/peak_work.h"
#include "kernels/api/view.h"

namespace glia::cudnn {

/// The file from which cuBLAS is loaded. Throws `Error` where that cannot be.
std::string cublas_path();

/// Loaded when it is made, not when the program starts: linked, it would cost every start a tenth
/// of a second and 200 MiB of memory.
class Blas {
 public:
  /// Throws `Error` saying why cuBLAS cannot be used.
  explicit Blas(cudaStream_t stream);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  /// Bytes that a product may want. As recommended for a Hopper GPU; elsewhere cuBLAS wants less.
  static constexpr std::size_t kWorkspace = std::size_t{32} << 20;

  /// A matrix in rows of `pitch` elements.
  struct Matrix {
    void* data;
    std::int64_t pitch;
    DType type = DType::f32;
    bool transposed = false;
  };
  struct Extents {
    std::int64_t rows, columns, depth;
  };
  struct Call {
    const char* op;
    ConvPrecision precision;
    void* workspace;  // of kWorkspace bytes
  };

  /// c [rows, columns] = a [rows, depth] b [depth, columns], extents after transposing; or c +=
  /// that. In bf16 a and b are of that type and c of either; sums are float32 and rounded once.
  void multiply(const Call& call, const Extents& extents, const Matrix& a, const Matrix& b,
                const Matrix& c, Write write);

  /// c = a b for dense square matrices; see `PeakWork::product`.
  void square_product(KernelContext& context, Arithmetic arithmetic, std::int64_t extent,
                      const void* a, const void* b, void* c);

 private:
  cublasHandle_t handle_ = nullptr;
};

}  // namespace glia::cudnn
