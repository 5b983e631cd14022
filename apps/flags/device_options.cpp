#include "apps/flags/device_options.h"

#include <CLI/CLI.hpp>

#include "engine/base/streams.h"

namespace glia {

namespace {

/// A flag with one of `names`, stored as what it means.
template <class Value>
void add_choice(CLI::App& command, const std::string& flag, Value& value,
                const std::vector<std::string>& names, Value (*parse)(std::string_view),
                const std::string& description) {
  command
      .add_option_function<std::string>(
          flag, [&value, parse](const std::string& text) { value = parse(text); }, description)
      ->check(CLI::IsMember(names))
      ->default_str(name_of(value));
}

std::vector<std::string> whole_network_backends() {
  std::vector<std::string> names = backend_names();
  std::erase(names, "onednn-blocked");
  return names;
}

}  // namespace

void DeviceOptions::add_to(CLI::App& command) {
  command
      .add_option("--device", request.device,
                  "Where to compute: cpu, cuda, cuda:i, or auto (a GPU if one can be used; says "
                  "what it took)")
      ->check([](const std::string& name) -> std::string {
        try {
          check_device_name(name);
        } catch (const Error& error) {
          return std::string(error.what()).substr(std::string_view("--device: ").size());
        }
        return {};
      })
      ->capture_default_str();
  command
      .add_option(
          "--backend", request.backend,
          "Whose kernels: native (ours), onednn (oneDNN's where it has them, on the CPU), cudnn "
          "(NVIDIA's where it has them), or emu (ours for GPUs, emulated on the CPU: slow, for "
          "tests)")
      ->check([](const std::string& name) {
        return name == "onednn-blocked"
                   ? "onednn-blocked has convolutions alone and is for the rows of glia bench; "
                     "choose onednn"
                   : std::string();
      })
      ->check(CLI::IsMember(whole_network_backends()))
      ->capture_default_str();
  command.add_option("--threads", request.threads, "CPU threads; 0 takes every core")
      ->capture_default_str();
  add_choice(
      command, "--conv", request.conv, conv_names(), parse_conv,
      "How convolutions are computed: on the CPU direct (by the definition) or winograd (3x3 "
      "with stride 1 in a quarter of the multiplications, with a little less precision); by "
      "our kernels for GPUs naive, tiled, mma or halo, the steps of docs/kernels; or auto "
      "(whichever is faster for a layer's size)");
  add_choice(command, "--memory", request.memory, memory_names(), parse_memory,
             "What the CPU keeps of a network: fast (normalised activations too), lean (only what "
             "they are computed from, again and again; the same bits), or auto (lean, which is "
             "faster as well)");
  add_choice(
      command, "--precision", request.precision, precision_choices(), parse_precision_choice,
      "In what convolutions multiply; sums and weights are fp32 whatever it is: fp32 (exact, "
      "everywhere), tf32 (on a GPU: operands rounded to ten bits of mantissa), bf16 (to "
      "seven: on a GPU, which stores activations and their gradients so, or on a CPU with "
      "AMX or AVX512-BF16, which rounds as it multiplies), or auto (tf32 on a GPU, fp32 on "
      "the CPU)");
  command.add_option("--plugin", request.plugin,
                     "A shared library whose kernels take the place of ours, of the CPU, the "
                     "emulator or a GPU, whichever it was made for (docs/your-kernel.md)");
}

void DeviceOptions::add_check_nan_to(CLI::App& command) {
  command.add_flag(
      "--check-nan", request.check_nan,
      "Look at what every kernel writes, and end at the first value that is not finite "
      "with the layer, kernel and tensor that made it; many times slower");
}

std::unique_ptr<Device> DeviceOptions::open() const {
  return open_device(request, print_note);
}

}  // namespace glia
