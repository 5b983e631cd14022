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

  /// A matrix in rows of `pitch` elements.
  struct Matrix {
    float* data;
    std::int64_t pitch;
    bool transposed = false;
  };

  /// c [rows, columns] = a [rows, depth] b [depth, columns], extents after transposing; or c +=
  /// that. In tf32 where `context` says so.
  void multiply(KernelContext& context, const char* op, std::int64_t rows, std::int64_t columns,
                std::int64_t depth, const Matrix& a, const Matrix& b, const Matrix& c, Write write);

  /// c = a b for dense square matrices; see `PeakWork::product`.
  void square_product(KernelContext& context, Arithmetic arithmetic, std::int64_t extent,
                      const void* a, const void* b, void* c);

 private:
  cublasHandle_t handle_ = nullptr;
};

}  // namespace glia::cudnn
