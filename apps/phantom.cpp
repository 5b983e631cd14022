// glia phantom: writes synthetic slices with tumour masks.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/runs/output_folder.h"
#include "apps/terminal/interrupt.h"
#include "engine/base/cores.h"
#include "engine/base/streams.h"
#include "engine/phantom/phantom.h"

namespace glia {

namespace {

struct PhantomOptions {
  std::string out;
  PhantomConfig config;
  int threads = 0;
  bool overwrite = false;
};

/// What --overwrite replaces is gone by then.
[[noreturn]] void stop(const std::string& out, std::int64_t done, std::int64_t patients) {
  fmt::print(stderr, "glia: stopped after {} of {} patients; {}\n", done, patients,
             std::filesystem::exists(out) ? "what --overwrite replaces was removed, the same "
                                            "command writes it anew"
                                          : "nothing was written");
  throw CLI::RuntimeError(130);
}

void run_phantom(const PhantomOptions& options) {
  const PhantomConfig& config = options.config;
  catch_interrupts();
  check_can_write("--out", options.out);
  write_phantom(options.out, config, options.overwrite,
                options.threads > 0 ? options.threads : given_cores(), [&](std::int64_t done) {
                  if (interrupted()) stop(options.out, done, config.patients);
                  print_line(fmt::format("patient {}/{}", done, config.patients));
                });
  fmt::print("wrote {} slices of {} patients to {}\n", config.patients * config.slices,
             config.patients, options.out);
}

}  // namespace

void add_phantom_command(CLI::App& app) {
  auto* command = app.add_subcommand("phantom", "Makes synthetic MR slices with tumour masks");
  auto options = std::make_shared<PhantomOptions>();
  PhantomConfig& config = options->config;
  command->add_option("--out", options->out, "Folder to write")->required();
  command->add_option("--patients", config.patients, "Number of patients")->capture_default_str();
  command->add_option("--slices", config.slices, "Slices a patient, 1 to 20; id = 20*patient+slice")
      ->capture_default_str();
  command->add_option("--size", config.size, "Pixels a side, over 240 mm")->capture_default_str();
  command->add_option("--seed", config.seed, "Same seed, same slices")->capture_default_str();
  command->add_option("--threads", options->threads, "Worker threads; 0 is one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite,
                    "Replace what an earlier glia phantom wrote into --out");
  command->callback([options] { run_phantom(*options); });
  command->footer("Example:\n  glia phantom --out slices --patients 12 --slices 8 --seed 1");
}

}  // namespace glia
