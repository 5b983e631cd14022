// glia train --ranks and --shards: the same bits for the same shards, whoever computes them.
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/same_run.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

/// Of batches of four, in epochs of three or four steps.
std::vector<std::string> train(const CliWorkspace& w, const std::string& out,
                               const std::vector<std::string>& more) {
  auto words = w.train(out, 2);
  *(std::find(words.begin(), words.end(), "--batch-size") + 1) = "4";
  return with(words, more);
}

}  // namespace

TEST_CASE("ranks: the same run on 1, 2 and 4 ranks, stopped and resumed on others", "[cli]") {
  const CliWorkspace w;
  const std::vector<std::string> group{"--norm", "group", "--shards", "4"};
  REQUIRE(run_glia(train(w, "one", group)).code == 0);
  for (const char* ranks : {"2", "4"}) {
    const std::string run = std::string("on") + ranks;
    const Outcome outcome = run_glia(train(w, run, with(group, {"--ranks", ranks})));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    check_same_run(w.path("one"), w.path(run));
  }
  // Killed on two ranks, resumed on four and then on one.
  const auto begun = [&](int count) { return after_checkpoints(w.path("killed"), count); };
  REQUIRE(signal_glia(train(w, "killed", with(group, {"--ranks", "2"})), SIGKILL, begun(2)).code ==
          128 + SIGKILL);
  signal_glia({"train", "--resume", w.path("killed"), "--ranks", "4"}, SIGINT, begun(2));
  REQUIRE(run_glia({"train", "--resume", w.path("killed"), "--threads", "1"}).code == 0);
  check_same_run(w.path("one"), w.path("killed"));
}

TEST_CASE("ranks: a batch norm's shards are computed side by side", "[cli]") {
  const CliWorkspace w;
  REQUIRE(run_glia(train(w, "ranks", {"--ranks", "4"})).code == 0);
  REQUIRE(run_glia(train(w, "shards", {"--shards", "4"})).code == 0);
  REQUIRE(run_glia(train(w, "both", {"--shards", "4", "--ranks", "2"})).code == 0);
  check_same_run(w.path("ranks"), w.path("shards"));
  check_same_run(w.path("ranks"), w.path("both"));
}

TEST_CASE("ranks: what does not divide is refused before anything is written", "[cli]") {
  const CliWorkspace w;
  Outcome outcome = run_glia(train(w, "run", {"--ranks", "3"}));
  CHECK(outcome.code == 1);
  CHECK(contains(outcome,
                 "--batch-size 4: a batch does not divide into 3 equal shards; choose a "
                 "multiple of 3"));
  outcome = run_glia(train(w, "run", {"--ranks", "2", "--shards", "3"}));
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "--shards 3 on 2 ranks"));
  CHECK_FALSE(std::filesystem::exists(w.path("run")));
}

TEST_CASE("ranks: started several times by an MPI, a command that shares no work refuses",
          "[cli]") {
  const CliWorkspace w;
  const std::string more = " phantom --out " + w.path("more") + " --patients 1 --slices 1";
  const Outcome outcome = run_shell("OMPI_COMM_WORLD_SIZE=2 $GLIA" + more);
  CHECK(outcome.code == 1);
  CHECK(
      contains(outcome, "glia phantom: mpirun (OMPI_COMM_WORLD_SIZE=2) has started several of it"));
  CHECK(contains(outcome, "start this command once, by itself"));
  CHECK_FALSE(std::filesystem::exists(w.path("more")));
  CHECK(run_shell("OMPI_COMM_WORLD_SIZE=2 $GLIA phantom --help").code == 0);
  CHECK(run_shell("OMPI_COMM_WORLD_SIZE=1 $GLIA" + more).code == 0);  // the only one of its job
}
