// glia kernel: from a .cu file of the user's to a verdict, without a GPU.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>

#include "apps/commands.h"
#include "apps/flags/overwrite.h"
#include "apps/kernel/assembly.h"
#include "apps/kernel/compile_kernel.h"
#include "apps/kernel/kernel_names.h"
#include "apps/kernel/kernel_templates.h"
#include "apps/kernel/verdict.h"
#include "apps/kernel/workshop.h"
#include "apps/runs/outputs.h"
#include "apps/terminal/interrupt.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/staging.h"

#include <CLI/CLI.hpp>

namespace glia {

namespace {

namespace fs = std::filesystem;

struct KernelOptions {
  std::string file, as, made, out, gpu_out, gpu_arch = "sm_90", precision = "fp32";
  int case_seconds = 20;
  bool overwrite = false;
};

/// Compiles one flavour and runs its cases; nothing when it does not compile, which `problem` says.
JudgeRun compile_and_judge(const KernelSource& source, const JudgeOptions& options,
                           std::string& problem) {
  const Compiled compiled = compile_kernel(source, options.race);
  problem = compiled.problem;
  if (compiled.library.empty()) return {};
  return run_judge(compiled.library, source.kernel, options);
}

void run_kernel(const KernelOptions& o) {
  if (!o.made.empty()) {
    fmt::print("{}", kernel_template(o.made));
    return;
  }
  check(!o.file.empty() && !o.as.empty(),
        "glia kernel: give a file and the kernel that it is, such as mine.cu --as conv2d.dgrad, or "
        "--new conv2d.dgrad for a file to begin with");
  const KernelInfo& kernel = kernel_of_name(o.as);
  check(fs::is_regular_file(o.file), "glia kernel: there is no file {}", o.file);
  const fs::path out = output_file("--out", o.out, kSharedLibrary, {{"FILE", o.file}}, o.overwrite);
  const fs::path gpu_out =
      output_file("--gpu-out", o.gpu_out, kSharedLibrary, {{"FILE", o.file}}, o.overwrite);
  check_can_compile();
  catch_interrupts();
  const auto start = std::chrono::steady_clock::now();
  const Workshop workshop;
  const KernelSource source{o.file, kernel, workshop.path()};
  write_wrapper(source);

  JudgeOptions options{.tf32 = o.precision == "tf32",
                       .case_limit = std::chrono::seconds(o.case_seconds)};
  std::string problem, race_problem;
  Verdict verdict{.file = o.file, .kernel = dotted_name(kernel)};
  auto race = std::async(std::launch::async, [&] {
    JudgeOptions with_race = options;
    with_race.race = true;
    return compile_and_judge(source, with_race, race_problem);
  });
  auto assembly = std::async(std::launch::async, [&] { return assembly_of(source); });
  verdict.results = compile_and_judge(source, options, problem);
  verdict.race = race.get();
  verdict.assembly = assembly.get();
  if (!problem.empty()) {
    fmt::print(stderr, "{}", problem);
    throw CLI::RuntimeError(1);
  }
  verdict.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{}", text_of(verdict));
  if (!o.out.empty()) {
    write_file_atomically(out, read_file(workshop.path() / "plain.so"));
    fmt::print("  written to {}: glia bench --backend emu --plugin {}\n", o.out, o.out);
  }
  if (!o.gpu_out.empty()) {
    const Compiled compiled = compile_for_gpu(source, o.gpu_arch);
    check(!compiled.library.empty(), "--gpu-out: {}", compiled.problem);
    write_file_atomically(gpu_out, read_file(compiled.library));
    fmt::print("  written to {}: glia bench --device cuda --plugin {}\n", o.gpu_out, o.gpu_out);
  }
  if (!verdict.right()) throw CLI::RuntimeError(1);
}

}  // namespace

void add_kernel_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "kernel", "Judges a CUDA kernel of yours by its operation's cases, without a GPU");
  auto options = std::make_shared<KernelOptions>();
  command->add_option("file", options->file, "The .cu file");
  command->add_option("--as", options->as,
                      "The kernel that its function takes the place of, such as conv2d.dgrad");
  command->add_option("--new", options->made,
                      "Print a file to begin with, of this kernel, and judge nothing");
  command
      ->add_option("--precision", options->precision,
                   "What it multiplies in: fp32, or tf32, whose bounds are those of tensor cores")
      ->check(CLI::IsMember({"fp32", "tf32"}));
  command
      ->add_option("--case-seconds", options->case_seconds,
                   "A case that takes longer counts as a kernel without end")
      ->check(CLI::Range(1, 3600));
  command->add_option("--out", options->out,
                      "Write the compiled library, for glia bench --backend emu --plugin");
  command->add_option("--gpu-out", options->gpu_out,
                      "Write the library that nvcc makes of it, for glia bench --device cuda "
                      "--plugin");
  command->add_option("--gpu-arch", options->gpu_arch, "For which GPUs, of --gpu-out")
      ->capture_default_str();
  command->add_flag(kOverwrite, options->overwrite, kOverwriteFileHelp);
  command->footer(
      "Example:\n"
      "  glia kernel --new conv2d.forward > mine.cu\n"
      "  glia kernel mine.cu --as conv2d.forward\n"
      "docs/your-kernel.md goes from a file to a row of the table.");
  command->callback([options] { run_kernel(*options); });
}

}  // namespace glia
