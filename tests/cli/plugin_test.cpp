// --plugin: kernels of a shared library beside ours in glia bench, and in their place elsewhere.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/gpu_backends.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

std::string plugin(const std::string& name) {
  return std::string(GLIA_TEST_PLUGINS) + "/" + name + ".so";
}

/// The forward pass of relu with these channels, quickly.
Outcome bench_relu(const std::string& library, int channels,
                   const std::vector<std::string>& more = {}) {
  return run_glia(with({"bench", "--device", "cpu", "--op", "relu_forward", "--shape",
                        "1x8x8x" + std::to_string(channels), "--row-seconds", "0", "--samples", "3",
                        "--flush-mib", "1", "--copy-mib", "1", "--plugin", library},
                       more));
}

nlohmann::json rows_in(const std::filesystem::path& folder) {
  return nlohmann::json::parse(read_file(folder / "bench.json"))["rows"];
}

}  // namespace

TEST_CASE("plugin: its kernel is a row beside ours, checked and timed as ours is", "[cli]") {
  const TempFolder folder;
  const Outcome outcome =
      bench_relu(plugin("plain_relu"), 4, {"--out", (folder.path() / "out").string()});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome, "plain relu"));
  const auto rows = rows_in(folder.path() / "out");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["implementation"] == "native");
  CHECK(rows[1]["implementation"] == "plain relu");
  for (const auto& row : rows) {
    CHECK(row["problem"] == "");
    CHECK(row["relative_error"] == 0);
    CHECK(row["deterministic"] == true);
    CHECK(row["samples_s"]["warm"].size() == 3);
  }
  CHECK(rows[1]["ratio_to_peer"].get<double>() > 0);
}

TEST_CASE("plugin: what it crashes, declines and gets wrong are rows; the others are measured",
          "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "out").string();
  for (const int channels : {4, 5, 6, 7}) {
    const Outcome outcome =
        bench_relu(plugin("crashing_relu"), channels, {"--overwrite", "--out", out});
    CAPTURE(channels, outcome.output);
    CHECK(outcome.code == 0);
    const auto rows = rows_in(out);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0]["problem"] == "");
    CHECK(rows[0]["samples_s"]["warm"].size() == 3);
    const std::string problem = rows[1]["problem"];
    if (channels == 4) CHECK(problem.empty());
    if (channels == 5)
#if defined(__SANITIZE_ADDRESS__)
      CHECK(problem == "the plugin's process ended with exit status 1");
#else
      CHECK(problem == "the plugin's process ended by signal 11 (Segmentation fault)");
#endif
    if (channels == 6)
      CHECK(problem == "unsupported: the kernel declines: six channels are too many");
    if (channels == 7) CHECK(rows[1]["relative_error"].get<double>() > 0.5);
  }
}

TEST_CASE("plugin: after a crash the next rows have its times again", "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "out").string();
  const Outcome outcome =
      run_glia({"bench", "--device", "cpu", "--op", "relu_forward,sigmoid_forward", "--shape",
                "1x8x8x5", "--row-seconds", "0", "--samples", "3", "--flush-mib", "1", "--copy-mib",
                "1", "--plugin", plugin("crashing_relu"), "--out", out});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const auto rows = rows_in(out);
  REQUIRE(rows.size() == 4);
  CHECK(rows[1]["kernel"] == "relu_forward");
  CHECK(rows[1]["problem"] != "");
  for (const int timed : {0, 2, 3}) CHECK(rows[timed]["problem"] == "");
  CHECK(rows[3]["samples_s"]["warm"].size() == 3);
}

TEST_CASE("plugin: whole steps and training use it", "[cli]") {
  const Outcome steps = run_glia({"bench",
                                  "--device",
                                  "cpu",
                                  "--op",
                                  "train_step",
                                  "--base-width",
                                  "4",
                                  "--depth",
                                  "2",
                                  "--batch-size",
                                  "2",
                                  "--size",
                                  "16",
                                  "--samples",
                                  "2",
                                  "--row-seconds",
                                  "0",
                                  "--flush-mib",
                                  "1",
                                  "--copy-mib",
                                  "1",
                                  "--plugin",
                                  plugin("plain_relu")});
  CAPTURE(steps.output);
  CHECK(steps.code == 0);
  CHECK(contains(steps, "plain relu"));
  const CliWorkspace workspace;
  const Outcome trained =
      run_glia(with(workspace.train("run", 1), {"--plugin", plugin("plain_relu")}));
  CAPTURE(trained.output);
  CHECK(trained.code == 0);
}

TEST_CASE("plugin: what is no plugin for this program and device is refused", "[cli]") {
  const auto refused = [](const std::string& library, const std::string& why,
                          const std::vector<std::string>& more = {}) {
    const Outcome outcome = bench_relu(library, 4, more);
    CAPTURE(library, outcome.output);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome, "--plugin " + library + ": " + why));
  };
  refused("/no/such.so", "there is no such file; give the path of a shared library");
  const TempFolder folder;
  const std::string text = (folder.path() / "text.so").string();
  write_file_atomically(text, "no library at all\n");
  refused(text, "found no shared library that this program can load (");
  refused(plugin("no_entry"), "the library has no entry point glia_plugin; end its source with");
  refused(plugin("other_version"),
          "found version 2 of the plugins' contract, expected 1; compile it again");
  refused(plugin("other_contract"), "found a contract of kernels ");
  refused(plugin("nothing_replaced"), "its install replaces no kernel");
  if (find_gpu_backend("emu"))
    refused(plugin("plain_relu"), "its kernels are for cpu, and --backend is emu; add native",
            {"--backend", "emu"});
  const CliWorkspace workspace;
  if (find_gpu_backend("emu")) {
    const Outcome other = run_glia(
        with(workspace.train("run", 1), {"--plugin", plugin("plain_relu"), "--backend", "emu"}));
    CAPTURE(other.output);
    CHECK(other.code == 1);
    CHECK(contains(other,
                   "its kernels are for cpu, and the device is emu with --backend emu; "
                   "choose --device cpu --backend native"));
  }
}
