// --peer: another program's rows beside ours in glia bench.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

const std::string kFake = std::string(GLIA_TEST_PEERS) + "/fake_peer.py";

std::vector<std::string> bench_at(const std::string& ops, const std::string& shape,
                                  const std::vector<std::string>& more) {
  return with({"bench", "--device", "cpu", "--op", ops, "--shape", shape, "--row-seconds", "0",
               "--samples", "3", "--flush-mib", "1", "--copy-mib", "1", "--threads", "1"},
              more);
}

nlohmann::json report_in(const std::filesystem::path& folder) {
  return nlohmann::json::parse(read_file(folder / "bench.json"));
}

/// The row of a peer, of kernels that have one.
nlohmann::json row_of(const nlohmann::json& report, const std::string& kernel,
                      const std::string& who) {
  for (const auto& row : report["rows"])
    if (row["kernel"] == kernel && row["implementation"] == who) return row;
  FAIL("no row of " << kernel << " by " << who);
  return {};
}

}  // namespace

TEST_CASE("peer: its rows stand beside ours, and its results are judged as ours are", "[cli]") {
  const TempFolder folder;
  const Outcome outcome = run_glia(bench_at("relu_forward,mul,fill", "1x8x8x5",
                                            {"--peer", kFake, "--out", folder.path() / "out"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const nlohmann::json report = report_in(folder.path() / "out");
  CHECK(report["settings"]["peers"]["fake_peer"]["threads"] == 1);
  const auto relu = row_of(report, "relu_forward", "fake_peer");
  CHECK(relu["problem"].get<std::string>().empty());
  CHECK(relu["relative_error"] == 0);
  CHECK(relu["deterministic"] == true);
  CHECK(relu["algorithm"] == "fake of relu_forward");
  CHECK(relu["repeats"] == 7);
  CHECK(relu["samples_s"]["warm"] == nlohmann::json{0.25, 0.25, 0.25});
  CHECK(relu["samples_s"]["cold"] == nlohmann::json{0.5, 0.5, 0.5});
  CHECK(row_of(report, "relu_forward", "native")["ratio_to_peer"].get<double>() > 1);
  CHECK(row_of(report, "mul", "fake_peer")["relative_error"].get<double>() > 0.1);
  CHECK(row_of(report, "mul", "native")["relative_error"].get<double>() < 1e-6);
  // Nothing was compared, and nothing is claimed.
  CHECK(row_of(report, "fill", "fake_peer")["relative_error"].is_null());
  CHECK(row_of(report, "fill", "fake_peer")["deterministic"].is_null());
}

TEST_CASE("peer: what it cannot do, its crash and its nonsense are the problems of its rows",
          "[cli]") {
  const TempFolder folder;
  const Outcome outcome = run_glia(bench_at("sigmoid_forward,add,sum,relu_forward", "1x8x8x5",
                                            {"--peer", kFake, "--out", folder.path() / "out"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const nlohmann::json report = report_in(folder.path() / "out");
  CHECK(row_of(report, "sigmoid_forward", "fake_peer")["problem"] == "the fake has no sigmoid");
  CHECK(row_of(report, "add", "fake_peer")["problem"] ==
        kFake + " ended by signal 11 (Segmentation fault)");
  CHECK_FALSE(row_of(report, "sum", "fake_peer")["problem"].get<std::string>().empty());
  // It was started anew.
  CHECK(row_of(report, "relu_forward", "fake_peer")["problem"].get<std::string>().empty());
  for (const char* kernel : {"sigmoid_forward", "add", "sum", "relu_forward"})
    CHECK(row_of(report, kernel, "native")["samples_s"]["warm"].size() == 3);
}

TEST_CASE("peer: all kernels of a step are rows of a pass an operation", "[cli]") {
  const TempFolder folder;
  const Outcome outcome = run_glia({"bench",
                                    "--device",
                                    "cpu",
                                    "--base-width",
                                    "2",
                                    "--depth",
                                    "1",
                                    "--batch-size",
                                    "1",
                                    "--size",
                                    "8",
                                    "--row-seconds",
                                    "0",
                                    "--samples",
                                    "1",
                                    "--flush-mib",
                                    "1",
                                    "--copy-mib",
                                    "1",
                                    "--op",
                                    "relu,conv2d",
                                    "--peer",
                                    kFake,
                                    "--out",
                                    folder.path() / "out"});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const nlohmann::json report = report_in(folder.path() / "out");
  CHECK(row_of(report, "relu_forward", "fake_peer")["relative_error"] == 0);
  CHECK(row_of(report, "conv2d_forward", "fake_peer")["algorithm"] == "untold");
  CHECK(contains(outcome, "of the"));
}

TEST_CASE("peer: what is missing is one sentence before anything is timed", "[cli]") {
  const auto refused = [](const std::vector<std::string>& more, const std::string& why) {
    const Outcome outcome = run_glia(bench_at("relu_forward", "8", more));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, why));
    CHECK_FALSE(contains(outcome, "warm ms"));
  };
  refused({"--peer", "torch", "--python", "/no/such/python"},
          "--peer torch: /no/such/python cannot be started: no program /no/such/python; choose a "
          "Python that has PyTorch with --python, or install it (pip install torch), or leave "
          "--peer out");
  refused({"--peer", "tensorflow"},
          "--peer: found 'tensorflow', expected torch, torch-nchw, or the file of a program");
  refused({"--peer", kFake, "--profile-once"}, "--peer is of rows that are timed");
  const Outcome step = run_glia({"bench", "--device", "cpu", "--op", "train_step", "--base-width",
                                 "2", "--size", "16", "--peer", kFake});
  CHECK(step.code == 1);
  CHECK(contains(step, "--peer is of rows and knows no train_step"));
  const Outcome lacks =
      run_shell("FAKE_PEER_LACKS=arrays \"$GLIA\" bench --op relu --shape 8 --peer " + kFake);
  CHECK(lacks.code == 1);
  CHECK(contains(lacks, "--peer fake_peer: found no arrays; look at what it needs"));
  // An interpreter without PyTorch: -S -I hide all packages.
  const TempFolder folder;
  const std::string bare = folder.path() / "python";
  write_file_atomically(bare, "#!/bin/sh\nexec python3 -I -S \"$@\"\n");
  std::filesystem::permissions(bare, std::filesystem::perms::owner_all);
  refused({"--peer", "torch", "--python", bare}, "--peer torch: found no PyTorch in ");
}

TEST_CASE("peer: PyTorch's convolutions agree with the formula as ours do", "[cli]") {
  if (run_shell("/usr/bin/python3 -c 'import torch'").code != 0) {
    WARN("left out: /usr/bin/python3 has no PyTorch");
    return;
  }
  const TempFolder folder;
  const Outcome outcome =
      run_glia(with(bench_at("conv2d", "2x9x7x3",
                             {"--peer", "torch,torch-nchw", "--python", "/usr/bin/python3", "--out",
                              folder.path() / "out"}),
                    {"--kernel", "3x3x5", "--stride", "2", "--padding", "1"}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const nlohmann::json report = report_in(folder.path() / "out");
  for (const char* kernel : {"conv2d_forward", "conv2d_dgrad", "conv2d_wgrad"})
    for (const char* who : {"native", "torch", "torch-nchw"}) {
      const auto row = row_of(report, kernel, who);
      CAPTURE(row.dump());
      CHECK(row["problem"].get<std::string>().empty());
      CHECK(row["relative_error"].get<double>() < 1e-5);
      CHECK(row["deterministic"] == true);
      CHECK(row["samples_s"]["warm"].size() == 3);
    }
}
