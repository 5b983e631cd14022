// The flags of glia bench: what is timed, on what, and how.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/flags/shape_options.h"
#include "benchmarks/suite/measure.h"
#include "engine/runtime/open_device.h"
#include "models/unet/unet.h"

namespace glia {

/// What stands side by side in a row: a backend with a way to convolve, its precision and how far
/// it fuses passes; `plugin` is the file of a library whose kernels take the place of the
/// backend's.
struct Variant {
  std::string name, backend, conv, precision, fuse, plugin{};
};

struct BenchOptions {
  DeviceRequest device;
  std::vector<std::string> backends{"native"}, convs{"auto"}, ops, phases, cases, compare, peers;
  std::string python = "python3";  // runs PyTorch, of --peer
  ShapeOptions shape;
  std::vector<std::int64_t> base_widths{32}, batch_sizes{6};
  UNetConfig unet;
  std::int64_t size = 240, flush_mib = 128, copy_mib = 0;
  std::string up = name_of(unet.up), memory = name_of(device.memory), out;
  std::vector<std::string> precisions{name_of(device.precision)}, fuses{name_of(device.fuse)};
  bench::MeasureOptions measure;
  std::string fail_above;  // "5%", of --compare
  std::string samples = "10";
  bool no_cold = false, no_check = false, list = false, ceilings = false, json = false,
       overwrite = false;
  std::string as;  // the kernel that --plugin FILE.cu is
  /// This process measures the rows of that plugin for another one (apps/study/plugin_worker.h).
  std::string plugin_worker;
  double peak_gflops = 0, peak_gbytes = 0;

  void add_to(CLI::App& command);
  /// Every backend with every --conv, --precision and --fuse, named after what differs. Beside our
  /// own kernels others stand once in each of these precisions that they have, and once in their
  /// own where they have none. A plugin's kernels stand last, in each precision and fusion.
  std::vector<Variant> variants() const;
  /// Throws `Error` where a flag asks for what goes with none of the others.
  void check_combination() const;
  /// Whether --plugin is a source that is to be compiled. Throws `Error` where --as does not fit.
  bool plugin_is_source() const;
  /// What stands beside that kernel where no flag says it: our algorithms and NVIDIA's library; and
  /// its rows.
  void choose_beside(const KernelInfo& kernel);
  /// Sets what `samples` says. Throws `Error` for anything but a number or auto.
  void choose_samples();
  /// "5%" as 0.05. Throws `Error` for anything else.
  double share_to_fail() const;
  /// `single_calls`: for the kernels of rows, not for a whole step. Notes go to standard error,
  /// unless `quiet`.
  std::unique_ptr<Device> open(const Variant& variant, bool quiet, bool single_calls = true) const;
  std::size_t flush_bytes() const { return static_cast<std::size_t>(flush_mib) << 20; }
  /// Adds what `found` lacks of a device's ceilings.
  void measure_ceilings(Device& device, std::vector<bench::Ceiling>& found) const;
  /// Whether rows are those of --shape or --case and not of a training step. Throws `Error` where
  /// the flags ask for both.
  bool of_cases() const;

 private:
  std::vector<const CLI::Option*> of_step_;  // flags that shape a training step
  const CLI::Option *backend_option_ = nullptr, *conv_option_ = nullptr;

  void add_plugin_to(std::vector<Variant>& variants) const;

  void add_choices(CLI::App& command);
  void add_step(CLI::App& command);
  void add_measure(CLI::App& command);
  void add_results(CLI::App& command);
};

/// Whether `name` is one of them, or there is no choice.
bool chosen(const std::vector<std::string>& choice, const std::string& name);

}  // namespace glia
