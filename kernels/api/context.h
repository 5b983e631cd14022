// What a kernel may use besides its arguments.
#pragma once

#include <cstdint>

#include "kernels/api/memory.h"

namespace glia {

/// How a convolution is computed: by whichever kernel is faster for the geometry; on the CPU by the
/// definition, or by Winograd's algorithm wherever its kernels fit; by our kernels for GPUs as
/// ConvAlgorithm says, wherever that fits.
enum class ConvMethod : std::uint8_t { automatic, direct, winograd, naive, tiled, mma, halo };

/// In what convolutions multiply; products are summed up in fp32. tf32 (ten bits of mantissa, the
/// exponents of fp32) is for GPU backends: tensors are fp32, and both operands are rounded to it,
/// to the nearest, while they are read. So they are on the CPU in bf16 (seven bits); on a GPU
/// activations are stored in bf16 then (KernelTable::in_bf16).
enum class ConvPrecision : std::uint8_t { fp32, tf32, bf16 };

/// The instructions of bf16: the best that the processor has, or, for tests, certain ones. The
/// portable ones are plain C++.
enum class Bf16Choice : std::uint8_t { automatic, amx, avx512, portable };

/// How our GPU kernels compute a pass of a convolution.
enum class ConvAlgorithm : std::uint8_t {
  automatic,  // what choose_algorithm of kernels/cuda/conv/conv_choice.h says
  naive,      // a thread an element: conv_naive.cu
  tiled,      // matrix products that gather their operands: gemm_tile.h
  shuffled,   // dgrad only: one product without gathering, its columns dealt out to windows
  mma,        // tiled, on tensor cores in tf32 or bf16: mma_tile.h
  shuffled_mma,
  halo  // 3x3 of stride 1 in tf32 or bf16, by patches: conv_halo.h, conv_wgrad_halo.h
};

/// What tests and benchmarks impose on them in place of their choices.
struct ConvOverride {
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;  // naive, tiled, mma or halo, where they fit
  int tile = -1;   // index into kGemmTiles or kMmaTiles; -1: chosen
  int splits = 0;  // of the sums; 0: chosen
};

struct KernelContext {
  explicit KernelContext(Allocator* memory = nullptr, bool keeps_scratch = true)
      : workspace(memory, keeps_scratch) {}

  int threads = 1;  // of the CPU backend
  /// The CPU's convolutions reserve their scratch memory and return: how a plan learns its size.
  bool dry_run = false;
  ConvMethod conv = ConvMethod::automatic;  // of the CPU backend
  ConvPrecision precision = ConvPrecision::fp32;
  Bf16Choice bf16 = Bf16Choice::automatic;
  ConvOverride gpu_conv;
  void* stream = nullptr;   // cudaStream_t of the GPU backends
  int multiprocessors = 0;  // of the GPU; choices of launch sizes are functions of it
  /// Bytes of shared memory that a block of it can have; 0: any. Choices of kernels go by it.
  std::int64_t block_memory = 0;
  void* vendor = nullptr;  // Library of the cudnn or onednn backend; null elsewhere
  Workspace workspace;
};

}  // namespace glia
