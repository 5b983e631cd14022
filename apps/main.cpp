// The program `glia`: parses the command line, runs one subcommand, turns errors into one line.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <system_error>

#include "apps/commands.h"
#include "apps/flags/help_text.h"
#include "apps/flags/memory_advice.h"
#include "apps/flags/value_checks.h"
#include "apps/flags/unknown_command.h"
#include "apps/runs/processes.h"
#include "engine/base/streams.h"
#include "engine/base/text.h"
#include "engine/runtime/allocator.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Glia trains a U-Net on MR slices, with no framework underneath."};
  app.name("glia");
  app.require_subcommand(1);
  app.set_version_flag("--version", GLIA_VERSION);
  app.formatter(std::make_shared<glia::HelpText>());
  app.option_defaults()->always_capture_default();
  app.footer(
      "Example:\n"
      "  glia phantom --out slices --patients 12 --slices 8\n"
      "  glia split --data slices --out split\n"
      "  glia train --data slices --split split --out runs/first --epochs 3\n"
      "  glia evaluate --checkpoint runs/first/best.safetensors --data slices --list "
      "split/val.txt");
  glia::add_phantom_command(app);
  glia::add_import_command(app);
  glia::add_split_command(app);
  glia::add_check_data_command(app);
  glia::add_train_command(app);
  glia::add_sweep_command(app);
  glia::add_evaluate_command(app);
  glia::add_predict_command(app);
  glia::add_explain_command(app);
  glia::add_export_command(app);
  glia::add_export_weights_command(app);
  glia::add_import_weights_command(app);
  glia::add_model_card_command(app);
  glia::add_plan_command(app);
  glia::add_bench_command(app);
  glia::add_kernel_command(app);
  glia::add_gradcheck_command(app);
  glia::add_doctor_command(app);
  glia::check_flag_values(app);
  for (CLI::App* command : app.get_subcommands({}))
    if (command->get_name() != "train") glia::allow_one_process(*command);
  if (const std::string problem = glia::unknown_command(app, argc, argv); !problem.empty()) {
    std::fprintf(stderr, "glia: %s\n", problem.c_str());
    return 2;
  }
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();  // the command has said why
  } catch (const CLI::ParseError& error) {
    // A flag that is not there often is the one that is missing, so it comes first.
    const std::string problem = error.get_exit_code() == 0 ? "" : glia::unknown_words(app);
    if (!problem.empty()) {
      std::fprintf(stderr, "glia: %s\n", problem.c_str());
      return 2;
    }
    std::ostringstream help, message;
    if (app.exit(error, help, message) == 0) {
      std::fputs(help.str().c_str(), stdout);
      return 0;
    }
    const auto commands = app.get_subcommands();
    std::fprintf(stderr, "glia%s%s: %s", commands.empty() ? "" : " ",
                 commands.empty() ? "" : commands.front()->get_name().c_str(),
                 glia::printable(glia::in_plain_words(message.str())).c_str());
    return 2;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "glia: out of memory; %s\n", glia::memory_advice(app).c_str());
  } catch (const glia::OutOfMemory& error) {
    std::fprintf(stderr, "glia: %s; %s\n", error.what(), glia::memory_advice(app).c_str());
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      std::fprintf(stderr,
                   "glia: no thread can be started: %s; a limit (ulimit -v, -d or -u, or a control "
                   "group) leaves no room for its stack: use fewer --threads, or raise the limit\n",
                   error.what());
    else if (std::ferror(stdout) == 0)  // of printing: the end of `main` says it better
      std::fprintf(stderr, "glia: %s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "glia: %s\n", error.what());
  }
  return 1;
}

/// Of what cannot be unwound: a JSON value needs memory even to be destroyed.
[[noreturn]] void end_without_memory() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    std::fputs(
        "glia: out of memory; free some, raise the limit (ulimit -v, ulimit -d), or choose smaller "
        "images\n",
        stderr);
    std::_Exit(1);
  } catch (...) {  // a fault of the program: the system says so
  }
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  // A file that outgrows `ulimit -f` is then a write that fails, and is told like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  std::set_terminate(end_without_memory);
  glia::open_standard_streams();
  int code = 1;
  try {
    code = run(argc, argv);
  } catch (const std::bad_alloc&) {  // of the commands' own lists, or of saying what went wrong
    std::fputs(
        "glia: out of memory before the command began; free some, or raise the limit (ulimit -v, "
        "ulimit -d)\n",
        stderr);
  }
  return glia::finish_standard_streams() || code != 0 ? code : 1;
}
