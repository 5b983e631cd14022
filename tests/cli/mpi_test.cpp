// mpirun -n N glia train: the bits of ranks that are threads, and one message when something is
// wrong. Left out, and said so, where no MPI is installed that this build has a module for.
#include <filesystem>

#include "tests/cli/same_run.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

/// The commands that start ranks here, one an MPI.
std::vector<std::string> launchers() {
  std::vector<std::string> found;
  for (const auto& [name, command] :
       {std::pair("Open MPI", "mpiexec.openmpi --allow-run-as-root --oversubscribe"),
        std::pair("MPICH", "mpiexec.mpich")}) {
    const std::string program = std::string(command).substr(0, std::string(command).find(' '));
    if (run_shell("command -v " + program).code == 0)
      found.emplace_back(command);
    else
      WARN("no " << name << ": training with it is not tested");
  }
  return found;
}

std::string line(const CliWorkspace& w, const std::string& out, const std::string& more,
                 const std::string& batch = "--batch-size 4 --epochs 1") {
  return "$GLIA train --data " + w.path("slices") + " --split " + w.path("split") + " --out " +
         w.path(out) + " --base-width 4 --depth 2 --threads 1 " + batch + " " + more;
}

}  // namespace

TEST_CASE("mpi: processes give the bits of threads", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_shell(line(w, "threads", "--ranks 2")).code == 0);
  const std::string group = "--norm group --shards 4";
  REQUIRE(run_shell(line(w, "turns", group)).code == 0);
  REQUIRE(run_shell(line(w, "longer", group, "--batch-size 4 --epochs 2")).code == 0);
  int number = 0;
  for (const std::string& launcher : launchers()) {
    const std::string name = std::to_string(number++);
    Outcome outcome = run_shell(launcher + " -n 2 " + line(w, "batch" + name, ""));
    CAPTURE(launcher, outcome.output);
    REQUIRE(outcome.code == 0);
    check_same_run(w.path("threads"), w.path("batch" + name));
    outcome = run_shell(launcher + " -n 4 " + line(w, "group" + name, group));
    REQUIRE(outcome.code == 0);
    check_same_run(w.path("turns"), w.path("group" + name));
    // Resumed by fewer.
    outcome = run_shell(launcher + " -n 2 $GLIA train --resume " + w.path("group" + name) +
                        " --epochs 2");
    REQUIRE(outcome.code == 0);
    check_same_run(w.path("longer"), w.path("group" + name));
  }
}

TEST_CASE("mpi: what is wrong on a rank is said once, and leaves nothing", "[cli]") {
  const CliWorkspace w;
  for (const std::string& launcher : launchers()) {
    const auto refused = [&](const std::string& words, const std::string& text) {
      const Outcome outcome = run_shell(launcher + " " + words);
      CAPTURE(launcher, words, outcome.output);
      CHECK(outcome.code == 1);
      const auto first = outcome.output.find(text);
      CHECK(first != std::string::npos);
      CHECK(outcome.output.find(text, first + 1) == std::string::npos);
      CHECK_FALSE(std::filesystem::exists(w.path("run")));
    };
    refused("-n 1 " + line(w, "run", "") + " : -n 1 " + line(w, "run", "--seed 1"),
            "rank 1: its settings are other than those of rank 0; give the same flags everywhere");
    refused("-n 1 " + line(w, "run", "") + " : -n 1 " + line(w, "other", ""),
            "rank 1: its folder is another than that of rank 0");
    refused("-n 2 " + line(w, "run", "", "--batch-size 3"), "choose a multiple of 2");
    refused("-n 2 " + line(w, "run", "--ranks 2"), "an MPI has started 2 processes");
    refused("-n 2 " + line(w, "run", "--loss hinge"), "--loss: found 'hinge'");
  }
}
