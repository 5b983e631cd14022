// From what a user asks for (--device, --backend, --threads, --conv,
// --memory, --precision) to a device.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/device.h"

namespace glia {

struct DeviceRequest {
  /// cpu, cuda, cuda:i (the GPU of that number), or auto: the first GPU that can be used, else the
  /// CPU.
  std::string device = "auto";
  /// native: our kernels for that device; cudnn: NVIDIA's libraries where they have the kernel, on
  /// a GPU; onednn: oneDNN where it has the kernel, on the CPU (onednn-blocked: its convolutions in
  /// its own layouts, for `single_calls`); emu: our GPU kernels, run by the emulator on the CPU.
  std::string backend = "native";
  int threads = 0;                            // of the CPU; 0 takes every core
  ConvMethod conv = ConvMethod::automatic;    // another one is for our kernels, of CPU or GPU
  MemoryMode memory = MemoryMode::automatic;  // another one is for backends that read maps
  Fuse fuse = Fuse::automatic;
  /// Of convolutions. Nothing: tf32 on a GPU and in the emulator, fp32 on the CPU. tf32 is for the
  /// former, bf16 for our kernels, on either. The device's context has what was taken.
  std::optional<ConvPrecision> precision = std::nullopt;
  std::string plugin{};       // a library whose kernels take the place of ours (plugin.h)
  bool check_nan = false;     // watched for the first value that is not finite (check_nan.h)
  bool single_calls = false;  // kernels will be called one by one, as the rows of glia bench are
};

/// Opens it with a caching allocator. `say` is told what was taken and why where the request left
/// it open. Throws `Error` when the request cannot be met; nothing else is taken instead.
std::unique_ptr<Device> open_device(
    const DeviceRequest& request,
    const std::function<void(const std::string&)>& say = [](const std::string&) {});

/// Throws `Error` where `open_device` would for want of a backend, a GPU or a precision. A device
/// of the CPU is opened and closed again; a GPU, whose memory others are to have, is not.
void check_device(const DeviceRequest& request);

/// What `DeviceRequest::backend` may be.
std::vector<std::string> backend_names();

/// A backend of this build, by the name of --backend; our own kernels by that of their device.
struct BuiltBackend {
  std::string name;
  const KernelTable* kernels;
};
/// All of them, whether or not this machine can run them.
std::vector<BuiltBackend> built_backends();

/// Checks the spelling of a --device; throws `Error` listing the choices.
void check_device_name(const std::string& name);

}  // namespace glia
