// Kernels of your own in a shared library (--plugin my.so): all that such a library includes. It
// has one entry point, which GLIA_PLUGIN defines:
//
//   #include "kernels/api/plugin.h"
//   static void relu(glia::KernelContext& context, const glia::ReluForward& a) { ... }
//   static void install(glia::KernelTable& table) { table.relu_forward = relu; }
//   GLIA_PLUGIN("my relu", install)
//
// What a kernel gets and must do stands beside its arguments in this folder. docs/your-kernel.md
// goes from a file to a row of the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/api/contract.h"
#include "kernels/api/table.h"

namespace glia {

/// Rises with every change of what `GliaPlugin` holds or of what its members mean.
inline constexpr std::uint32_t kPluginVersion = 1;

namespace detail {
/// FNV-1a, a number or a text at a time.
class Fingerprint {
 public:
  constexpr void add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8) add_byte(static_cast<std::uint8_t>(number));
  }
  constexpr void add(std::string_view text) {
    for (const char letter : text) add_byte(static_cast<std::uint8_t>(letter));
    add_byte(0);
  }
  template <class Struct>
  constexpr void add_layout() {
    add(sizeof(Struct));
    add(alignof(Struct));
  }
  constexpr std::uint64_t value() const { return value_; }

 private:
  constexpr void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3ull; }

  std::uint64_t value_ = 0xcbf29ce484222325ull;
};

constexpr std::uint64_t fingerprint_of_contract() {
  Fingerprint print;
  print.add(kContractText);  // names and order of what has the same layout
  print.add_layout<Shape>();
  print.add_layout<ConstView>();
  print.add_layout<View>();
  print.add_layout<ConvGeometry>();
  print.add_layout<Workspace>();
  print.add_layout<KernelContext>();
  print.add(offsetof(KernelContext, precision));
  print.add(offsetof(KernelContext, gpu_conv));
  print.add(offsetof(KernelContext, stream));
  print.add(offsetof(KernelContext, workspace));
  print.add_layout<KernelTable>();
  print.add(offsetof(KernelTable, maps_results));
  print.add(offsetof(KernelTable, tf32));
  print.add(offsetof(KernelTable, algorithm));
#define GLIA_KERNEL(name, Args, op, phase) \
  print.add(#name);                        \
  print.add_layout<Args>();                \
  print.add(offsetof(KernelTable, name));
#include "kernels/api/list.h"
  return print.value();
}
}  // namespace detail

/// Of the list of kernels and the layouts of everything that they are given: where a library's is
/// not the program's, the two cannot call each other.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
#endif
inline constexpr std::uint64_t kContract = detail::fingerprint_of_contract();
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/// For which kernels these are: those of `--backend native` on the CPU, of the emulator, or of
/// GPUs.
#if defined(GLIA_EMULATED)
inline constexpr const char* kPluginBackend = "emu";
#elif defined(__CUDACC__)
inline constexpr const char* kPluginBackend = "cuda";
#else
inline constexpr const char* kPluginBackend = "cpu";
#endif

/// What the entry point returns. The first two members stay where they are in every version.
struct GliaPlugin {
  std::uint32_t version;   // kPluginVersion
  std::uint64_t contract;  // kContract
  const char* name;        // in tables, at most 24 characters
  const char* backend;     // kPluginBackend
  /// Puts kernels over those of a copy of the backend's table. Before, the copy's `maps` is at most
  /// `written`, `maps_results` false and `algorithm` null, and its activations are float32: kernels
  /// are asked only for what `install` says of them. What it leaves as it was is given back where
  /// the kernels concerned are still the backend's own.
  void (*install)(KernelTable& table);
};

/// To say that a kernel is not for these arguments: `glia kernel` counts the case as left out,
/// `glia bench` shows `why` in the row, and training ends with it. Throws `Error`.
[[noreturn]] void decline(const char* why);

}  // namespace glia

#if defined(GLIA_EMULATED)
namespace glia::emu {
// Of kernels/emu: whose code reports name, and where the __launch_bounds__ of its kernels stand.
void add_library(const void* inside);
void add_launch_bounds(const std::uintptr_t* begin, const std::uintptr_t* end);
}  // namespace glia::emu
// From the linker; those of the library and not of the program.
extern "C" {
[[gnu::weak,
  gnu::visibility("hidden")]] extern const std::uintptr_t __start___patchable_function_entries[];
[[gnu::weak,
  gnu::visibility("hidden")]] extern const std::uintptr_t __stop___patchable_function_entries[];
}
#define GLIA_PLUGIN_LOADED(plugin)                                   \
  glia::emu::add_library(&plugin);                                   \
  glia::emu::add_launch_bounds(__start___patchable_function_entries, \
                               __stop___patchable_function_entries)
#else
#define GLIA_PLUGIN_LOADED(plugin) static_cast<void>(0)
#endif

/// Defines the entry point: `GLIA_PLUGIN("name", install)`, once a library.
#define GLIA_PLUGIN(plugin_name, install)                                                       \
  extern "C" [[gnu::visibility("default")]] const glia::GliaPlugin* glia_plugin() {             \
    static const glia::GliaPlugin plugin = {glia::kPluginVersion, glia::kContract, plugin_name, \
                                            glia::kPluginBackend, install};                     \
    GLIA_PLUGIN_LOADED(plugin);                                                                 \
    return &plugin;                                                                             \
  }
