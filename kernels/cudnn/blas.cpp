#include "kernels/cudnn/blas.h"

#include <limits>
#include <type_traits>

#include "engine/base/check.h"
#include "kernels/cudnn/shared_library.h"

namespace glia::cudnn {

namespace {

/// That of the library; for C++ the header has a second function of the name.
using Gemm = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int rows,
                                int columns, int depth, const void* alpha, const void* a,
                                cudaDataType, int a_pitch, const void* b, cudaDataType, int b_pitch,
                                const void* beta, void* c, cudaDataType, int c_pitch,
                                cublasComputeType_t, cublasGemmAlgo_t);

/// The functions of the library. It stays loaded until the process ends.
struct BlasFunctions {
  decltype(&cublasCreate_v2) create = nullptr;
  decltype(&cublasDestroy_v2) destroy = nullptr;
  decltype(&cublasSetStream_v2) set_stream = nullptr;
  decltype(&cublasSetMathMode) set_math_mode = nullptr;
  decltype(&cublasSetWorkspace_v2) set_workspace = nullptr;
  decltype(&cublasSgemm_v2) sgemm = nullptr;
  decltype(static_cast<Gemm>(&cublasGemmEx)) gemm = nullptr;
  decltype(&cublasGetStatusString) words = nullptr;
};

const SharedLibrary& blas_library() {
  static const SharedLibrary kLibrary("cuBLAS", fmt::format("libcublas.so.{}", CUBLAS_VER_MAJOR),
                                      GLIA_CUBLAS_LIBRARY);
  return kLibrary;
}

BlasFunctions load_blas() {
  BlasFunctions f;
  const auto find = [](auto& function, const char* symbol) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
        blas_library().symbol(symbol));
  };
  find(f.create, "cublasCreate_v2");
  find(f.destroy, "cublasDestroy_v2");
  find(f.set_stream, "cublasSetStream_v2");
  find(f.set_math_mode, "cublasSetMathMode");
  find(f.set_workspace, "cublasSetWorkspace_v2");
  find(f.sgemm, "cublasSgemm_v2");
  find(f.gemm, "cublasGemmEx");
  find(f.words, "cublasGetStatusString");
  return f;
}

const BlasFunctions& cublas() {
  static const BlasFunctions kFunctions = load_blas();
  return kFunctions;
}

void require_success(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) fail("cuBLAS: {}: {}", what, cublas().words(status));
}

int to_int(const char* op, std::int64_t number) {
  check(number <= std::numeric_limits<int>::max(), "unsupported: {}: an extent of {} for cuBLAS",
        op, number);
  return static_cast<int>(number);
}

cublasMath_t math_mode(ConvPrecision precision) {
  switch (precision) {
    case ConvPrecision::tf32: return CUBLAS_TF32_TENSOR_OP_MATH;
    // Parts of a sum are not rounded to the result's type before they are added up.
    case ConvPrecision::bf16: return CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    case ConvPrecision::fp32: break;
  }
  return CUBLAS_DEFAULT_MATH;
}

cudaDataType cublas_type(DType type) {
  return type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

}  // namespace

std::string cublas_path() {
  return blas_library().path();
}

Blas::Blas(cudaStream_t stream) {
  require_success(cublas().create(&handle_), "creating a handle");
  require_success(cublas().set_stream(handle_, stream), "setting the stream");
}

Blas::~Blas() {
  if (handle_) cublas().destroy(handle_);
}

void Blas::multiply(const Call& call, const Extents& extents, const Matrix& a, const Matrix& b,
                    const Matrix& c, Write write) {
  const char* op = call.op;
  // Its own memory would be allocated while a step is recorded, and make results depend on streams.
  require_success(cublas().set_workspace(handle_, call.workspace, kWorkspace), op);
  require_success(cublas().set_math_mode(handle_, math_mode(call.precision)), op);
  const auto operation = [](const Matrix& m) { return m.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const float one = 1, beta = write == Write::accumulate ? 1.0f : 0.0f;
  const int rows = to_int(op, extents.rows), columns = to_int(op, extents.columns),
            depth = to_int(op, extents.depth);
  const int pitch_a = to_int(op, a.pitch), pitch_b = to_int(op, b.pitch),
            pitch_c = to_int(op, c.pitch);
  // cuBLAS counts columns first: to it our matrices are transposed, and c' = b' a'.
  if (call.precision == ConvPrecision::bf16) {
    require_success(cublas().gemm(handle_, operation(b), operation(a), columns, rows, depth, &one,
                                  b.data, cublas_type(b.type), pitch_b, a.data, cublas_type(a.type),
                                  pitch_a, &beta, c.data, cublas_type(c.type), pitch_c,
                                  CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                    op);
    return;
  }
  require_success(
      cublas().sgemm(handle_, operation(b), operation(a), columns, rows, depth, &one,
                     static_cast<const float*>(b.data), pitch_b, static_cast<const float*>(a.data),
                     pitch_a, &beta, static_cast<float*>(c.data), pitch_c),
      op);
}

void Blas::square_product(KernelContext& context, Arithmetic arithmetic, std::int64_t extent,
                          const void* a, const void* b, void* c) {
  constexpr const char* kOp = "a square product";
  void* workspace = context.workspace.reserve(kWorkspace);
  require_success(cublas().set_workspace(handle_, workspace, kWorkspace), kOp);
  const int n = to_int(kOp, extent);
  const float one = 1, zero = 0;
  const cudaDataType_t type = arithmetic == Arithmetic::bf16 ? CUDA_R_16BF : CUDA_R_32F;
  const cublasComputeType_t compute =
      arithmetic == Arithmetic::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  // The mode of a convolution before would make fp32 into tf32.
  require_success(cublas().set_math_mode(handle_, CUBLAS_DEFAULT_MATH), kOp);
  require_success(cublas().gemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, b, type, n, a,
                                type, n, &zero, c, type, n, compute, CUBLAS_GEMM_DEFAULT),
                  kOp);
}

}  // namespace glia::cudnn
