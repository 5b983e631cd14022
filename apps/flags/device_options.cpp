#include "apps/flags/device_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

namespace glia {

void DeviceOptions::add_to(CLI::App& command) {
  command
      .add_option("--device", request.device,
                  "Where to compute: cpu, cuda, cuda:i, or auto (a GPU if one can be used; says "
                  "what it took)")
      ->check([](const std::string& name) -> std::string {
        try {
          check_device_name(name);
        } catch (const Error& error) {
          return error.what();
        }
        return {};
      })
      ->capture_default_str();
  command
      .add_option(
          "--backend", request.backend,
          "Whose kernels: native (ours), onednn (oneDNN's where it has them, on the CPU), cudnn "
          "(NVIDIA's where it has them; cudnn-tf32: its convolutions in tf32), or emu (ours for "
          "GPUs, emulated on the CPU: slow, for tests)")
      ->check([](const std::string& name) {
        return name == "onednn-blocked"
                   ? "onednn-blocked has convolutions alone and is for the rows of glia bench; "
                     "choose onednn"
                   : std::string();
      })
      ->check(CLI::IsMember({"native", "onednn", "cudnn", "cudnn-tf32", "emu"}))
      ->capture_default_str();
  command.add_option("--threads", request.threads, "CPU threads; 0 takes every core")
      ->capture_default_str();
  command
      .add_option("--conv", conv,
                  "How the CPU convolves: direct (by the definition), winograd (3x3 with stride 1 "
                  "in a quarter of the multiplications, with a little less precision), or auto "
                  "(whichever is faster for a layer's size)")
      ->check(CLI::IsMember(conv_names()))
      ->capture_default_str();
  command
      .add_option("--memory", memory,
                  "What the CPU keeps of a network: fast (normalised activations too), lean (only "
                  "what they are computed from, again and again; the same bits), or auto (lean, "
                  "which is faster as well)")
      ->check(CLI::IsMember(memory_names()))
      ->capture_default_str();
  command
      .add_option("--precision", precision,
                  "In what the CPU's convolutions multiply: fp32, or bf16 (summed up in fp32; "
                  "weights, activations and gradients stay fp32), which needs a processor with AMX "
                  "or AVX512-BF16")
      ->check(CLI::IsMember(precision_names()))
      ->capture_default_str();
}

std::unique_ptr<Device> DeviceOptions::open() const {
  DeviceRequest wanted = request;
  wanted.conv = parse_conv(conv);
  wanted.memory = parse_memory(memory);
  wanted.precision = parse_precision(precision);
  return open_device(wanted, [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
}

}  // namespace glia
