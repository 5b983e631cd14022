// The contract between engine and backends: one function pointer a kernel. A backend is a
// `const KernelTable`; an empty entry is a kernel that the backend does not have, and calling it is
// an error, never a silent detour. Kernels stand in list.h; this gives each row its meaning.
#pragma once

#include "kernels/api/augment.h"
#include "kernels/api/batch_norm.h"
#include "kernels/api/context.h"
#include "kernels/api/conv2d.h"
#include "kernels/api/conv_transpose2d.h"
#include "kernels/api/elementwise.h"
#include "kernels/api/group_norm.h"
#include "kernels/api/loss.h"
#include "kernels/api/norm_relu.h"
#include "kernels/api/optim.h"
#include "kernels/api/resample.h"
#include "kernels/api/shards.h"

namespace glia {

/// The part of a training step that a kernel is for; `any`: whichever it is called in.
enum class Phase : std::uint8_t { any, forward, backward, dgrad, wgrad, update };

constexpr const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::any: return "any";
    case Phase::forward: return "forward";
    case Phase::backward: return "backward";
    case Phase::dgrad: return "dgrad";
    case Phase::wgrad: return "wgrad";
    case Phase::update: return "update";
  }
  return "";
}

/// A number a kernel, in the order of the list.
enum class KernelId : std::uint8_t {
#define GLIA_KERNEL(name, Args, op, phase) name,
#include "kernels/api/list.h"
};

struct KernelInfo {
  KernelId id;
  const char* name;  // "conv2d_forward"
  const char* op;    // "conv2d"
  Phase phase;
  bool needs_maps;  // only backends have it that make maps
};

/// All of them, by number.
inline constexpr KernelInfo kKernels[] = {
#define GLIA_KERNEL(name, Args, op, phase) {KernelId::name, #name, #op, Phase::phase, false},
#define GLIA_MAP_KERNEL(name, Args, op, phase) {KernelId::name, #name, #op, Phase::phase, true},
#include "kernels/api/list.h"
};

namespace detail {
template <class Args>
struct IdOf;
#define GLIA_KERNEL(name, Args, op, phase)            \
  template <>                                         \
  struct IdOf<Args> {                                 \
    static constexpr KernelId value = KernelId::name; \
  };
#include "kernels/api/list.h"
}  // namespace detail

/// The row of the kernel that takes these arguments.
template <class Args>
constexpr const KernelInfo& kernel_of() {
  return kKernels[static_cast<std::size_t>(detail::IdOf<Args>::value)];
}
/// "relu_forward"
template <class Args>
inline constexpr const char* kernel_name = kernel_of<Args>().name;
template <class Args>
constexpr const char* name_of(const Args&) {
  return kernel_name<Args>;
}

template <class Args>
using Kernel = void (*)(KernelContext&, const Args&);

struct KernelTable {
  const char* name = "";
  DType activations = DType::f32;  // and their gradients
  DType parameters = DType::f32;   // and their gradients, statistics, logits and losses
  /// The same backend with activations in bf16; null where it has none.
  const KernelTable* in_bf16 = nullptr;
  Maps maps = Maps::none;
  bool maps_results = false;   // conv2d_forward writes its result through a map
  bool gives_moments = false;  // and takes the moments of what it writes
  bool tf32 = false;  // convolutions have it, and compute in it unless asked for something else
  /// How a convolution kernel would compute this geometry, "winograd" for instance: a pure
  /// function, for traces and tables of times. Null where a backend does not say.
  const char* (*algorithm)(const KernelContext&, const KernelInfo&, const ConvGeometry&) = nullptr;
  /// Whether a convolution kernel would read x through a map at this geometry, likewise. Of use
  /// where `maps` says that not all do; null where none does.
  bool (*reads_map)(const KernelContext&, const KernelInfo&, const ConvGeometry&) = nullptr;
  /// Null where slices are augmented by the loader alone.
  AugmentBatchKernel augment_batch = nullptr;

#define GLIA_KERNEL(name, Args, op, phase) Kernel<Args> name = nullptr;
#include "kernels/api/list.h"
};

inline bool has_kernel(const KernelTable& table, KernelId id) {
  const bool has[] = {
#define GLIA_KERNEL(name, Args, op, phase) table.name != nullptr,
#include "kernels/api/list.h"
  };
  return has[static_cast<std::size_t>(id)];
}

namespace detail {
template <class Entry>
struct EntryArgs;
template <class Args>
struct EntryArgs<Kernel<Args> KernelTable::*> {
  using type = Args;
};
}  // namespace detail

/// The arguments of an entry: `ArgsOf<&KernelTable::relu_forward>` is `ReluForward`.
template <auto entry>
using ArgsOf = typename detail::EntryArgs<decltype(entry)>::type;

}  // namespace glia
