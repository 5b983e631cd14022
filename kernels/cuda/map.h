// Element-wise loops over views of one shape: y = f(in...) or y += f(in...).
//
// Work: blocks of 256 threads, no more than the GPU holds at a time, stride over the elements in
// dense row-major order, a pack of neighbours a thread. A pack is four elements, eight where all
// are bf16, moved at once, where every view allows that, else one; dense views count as one long
// row. A thread finds row and column of its first pack by a division and those of the next by
// adding. Arithmetic is in float whatever the views hold; what is stored is rounded once, after the
// addition where the kernel accumulates. No shared memory.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/api/context.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/strided.h"

namespace glia::GLIA_GPU {

constexpr int kMapThreads = 256;

/// What a loop runs over: `count` elements in rows of `columns`.
struct Elements {
  std::int64_t count, columns;
  bool packed;  // in whole packs of four a row; when dense, but for the last
};

/// The elements of views of one shape, for packs of `pack`.
template <class... Views>
Elements elements_of(int pack, const View& y, const Views&... in) {
  const bool dense = y.rows() == 1 || (y.dense() && ... && in.dense());
  const std::int64_t count = y.shape.numel();
  if (!dense) return {count, y.channels(), rows_of_packs(pack, y, in...)};
  return {count, count, pack_aligned(y.template as<std::byte>(), in.template as<std::byte>()...)};
}

/// Enough blocks for a loop over the elements, `pack` of them a thread and turn.
inline LaunchConfig map_launch(const KernelContext& context, const char* name,
                               const Elements& elements, int pack) {
  return {.grid = share_among_blocks(context, (elements.count + pack - 1) / pack, kMapThreads, 1),
          .block = kMapThreads,
          .stream = static_cast<cudaStream_t>(context.stream),
          .name = name};
}

/// The running thread's place in such a loop.
template <int kPack>
class Walk {
 public:
  std::int64_t element = 0, row = 0, column = 0;  // element = row * columns + column

  __device__ explicit Walk(const Elements& elements) : columns_(elements.columns) {
    const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
    element = thread * kPack;
    step_ = gridDim.x * blockDim.x * kPack;
    divide(element, row, column);
    divide(step_, step_rows_, step_columns_);
  }

  __device__ void next() {
    element += step_;
    row += step_rows_;
    column += step_columns_;
    if (column < columns_) return;
    column -= columns_;
    ++row;
  }

 private:
  /// `i` fits into 32 bits, since the size of the grid is bounded.
  __device__ void divide(std::int64_t i, std::int64_t& quotient, std::int64_t& rest) const {
    quotient = 0;
    rest = i;
    if (i < columns_) return;
    quotient = static_cast<unsigned>(i) / static_cast<unsigned>(columns_);
    rest = i - quotient * columns_;
  }

  std::int64_t columns_, step_ = 0, step_rows_ = 0, step_columns_ = 0;
};

/// to[k] = f(in.at[k]...) or to[k] += that, for a pack.
template <int kPack, class T, class F, class... Packs>
__device__ void put_pack(const F& f, T* to, bool accumulate, const Packs&... in) {
  Pack<kPack> result{};
  if (accumulate) result = read_pack<kPack>(to);
  for (int k = 0; k < kPack; ++k) {
    const float value = f(in.at[k]...);
    result.at[k] = accumulate ? result.at[k] + value : value;
  }
  write_pack(to, result);
}

/// y = f(in...) or y += f(in...): the whole of an element-wise kernel.
template <int kPack, class T, class F, class... In>
__device__ void map_elements(const Elements& elements, const F& f, const Strided<T>& y,
                             bool accumulate, const In&... in) {
  Walk<kPack> walk(elements);
  for (; walk.element + kPack <= elements.count; walk.next())
    put_pack<kPack>(f, y.at(walk.row, walk.column), accumulate,
                    in.template load<kPack>(walk.row, walk.column)...);
  // One thread finds an incomplete pack at the end of dense views.
  for (std::int64_t i = walk.element; i < elements.count; ++i)
    put_pack<1>(f, y.at(0, i), accumulate, in.template load<1>(0, i)...);
}

template <int kPack, class F, class T, class... In>
__global__ void __launch_bounds__(kMapThreads)
    map_packs(Elements elements, F f, Strided<T> y, bool accumulate, In... in) {
  map_elements<kPack>(elements, f, y, accumulate, in...);
}

/// `map` of inputs of type X to a y of type Y.
template <class Y, class X, class F, class... In>
void map_as(KernelContext& context, const char* name, const F& f, const View& y, Write write,
            const In&... in) {
  // Of the wider type as many as one instruction moves.
  constexpr int kPack = std::min(kPackOf<X>, kPackOf<Y>);
  const Elements elements = elements_of(kPack, y, in...);
  if (elements.count == 0) return;
  void (*kernel)(Elements, F, Strided<Y>, bool, decltype(strided<X>(in))...) =
      map_packs<1, F, Y, decltype(strided<X>(in))...>;
  if (elements.packed) kernel = map_packs<kPack, F, Y, decltype(strided<X>(in))...>;
  gpu::launch(kernel, map_launch(context, name, elements, elements.packed ? kPack : 1), elements, f,
              strided<Y>(y), write == Write::accumulate, strided<X>(in)...);
}

/// Queues y = f(in...), or y += f(in...) to accumulate, for views of the shape and the type of y.
/// `f` is a struct with `__device__ float operator()(float...) const`. y may be one of the inputs.
template <class F, class... In>
void map(KernelContext& context, const char* name, const F& f, const View& y, Write write,
         const In&... in) {
  if (y.dtype == DType::bf16)
    map_as<Bf16, Bf16>(context, name, f, y, write, in...);
  else
    map_as<float, float>(context, name, f, y, write, in...);
}

}  // namespace glia::GLIA_GPU
