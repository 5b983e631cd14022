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
  const TempFolder folder;
  const auto steps_with = [&](const std::string& library, const std::string& base_width) {
    const std::string out = (folder.path() / "out").string();
    const Outcome outcome = run_glia({"bench",
                                      "--device",
                                      "cpu",
                                      "--op",
                                      "train_step,inference",
                                      "--base-width",
                                      base_width,
                                      "--depth",
                                      "2",
                                      "--batch-size",
                                      "2",
                                      "--size",
                                      "16",
                                      "--samples",
                                      "3",
                                      "--row-seconds",
                                      "0.1",
                                      "--flush-mib",
                                      "1",
                                      "--copy-mib",
                                      "1",
                                      "--plugin",
                                      plugin(library),
                                      "--overwrite",
                                      "--out",
                                      out});
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    auto steps = nlohmann::json::parse(read_file(folder.path() / "out" / "bench.json"))["steps"];
    REQUIRE(steps.size() == 4);
    return steps;
  };
  const auto right = steps_with("plain_relu", "4");
  for (int i = 0; i < 4; ++i) {
    CAPTURE(i, right[i].dump());
    CHECK(right[i]["op"] == (i < 2 ? "train_step" : "inference"));
    CHECK(right[i]["implementation"] == (i % 2 ? "plain relu" : "native"));
    CHECK(right[i]["problem"].get<std::string>().empty());
    CHECK(right[i]["samples_s"].size() == 3);
    CHECK(right[i]["peak_bytes"].get<std::size_t>() > 0);
  }
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

TEST_CASE("plugin: members of the same type that change places change the contract", "[cli]") {
  const TempFolder folder;
  const std::string root = folder.path().string(),
                    tool = "python3 " GLIA_TEST_SOURCES "/tools/check-contract --root " + root;
  REQUIRE(run_shell("mkdir -p " + root + "/engine && cd " GLIA_TEST_SOURCES " && cp -r kernels " +
                    root + " && cp -r engine/base " + root + "/engine")
              .code == 0);
  CHECK(run_shell(tool).code == 0);
  const auto header = folder.path() / "kernels/api/batch_norm.h";
  std::string text = read_file(header);
  const std::string members = "  double momentum = 0.1;\n  double epsilon = 1e-5;\n";
  const auto at = text.find(members);
  REQUIRE(at != std::string::npos);
  write_file_atomically(header, "// A comment alone changes nothing.\n" + text);
  CHECK(run_shell(tool).code == 0);
  text.replace(at, members.size(), "  double epsilon = 1e-5;\n  double momentum = 0.1;\n");
  write_file_atomically(header, text);
  const Outcome swapped = run_shell(tool);
  CAPTURE(swapped.output);
  CHECK(swapped.code == 1);
  CHECK(contains(swapped, "run tools/check-contract --write"));
  CHECK(run_shell(tool + " --write").code == 0);
  CHECK(run_shell(tool).code == 0);
}

TEST_CASE("plugin: a source is compiled first and stands beside each of our algorithms", "[cli]") {
#if defined(GLIA_TEST_JUDGE)
  const TempFolder folder;
  const std::string halo = std::string(GLIA_TEST_KERNELS) + "/halo3x3.cu";
  const std::vector<std::string> at = {
      "bench", "--backend",     "emu", "--shape",     "1x5x6x5", "--kernel",
      "3x3x4", "--padding",     "1",   "--precision", "fp32",    "--samples",
      "1",     "--row-seconds", "0",   "--flush-mib", "1",       "--no-cold"};
  const Outcome outcome = run_glia(with(
      at, {"--plugin", halo, "--as", "conv2d.forward", "--out", (folder.path() / "out").string()}));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome, "compiled " + halo + " as conv2d.forward"));
  const auto report = nlohmann::json::parse(read_file(folder.path() / "out" / "bench.json"));
  CHECK(report["settings"]["plugin"] == halo);
  std::vector<std::string> who;
  for (const auto& row : report["rows"]) {
    CHECK(row["kernel"] == "conv2d_forward");
    CHECK(row["problem"].get<std::string>().empty());
    CHECK(row["relative_error"].get<double>() < 1e-5);
    who.push_back(row["implementation"]);
  }
  CHECK(who == std::vector<std::string>{"naive", "tiled", "auto", "halo3x3"});

  const Outcome unnamed = run_glia(with(at, {"--plugin", halo}));
  CHECK(unnamed.code == 1);
  CHECK(contains(unnamed, "--plugin " + halo + ": say which kernel it is, such as --as"));
  const Outcome other = run_glia(with(at, {"--plugin", "x.so", "--as", "conv2d.forward"}));
  CHECK(contains(other, "--as is of --plugin FILE.cu"));
  write_file_atomically(folder.path() / "bad.cu", "int x = y;\n");
  const std::string bad = (folder.path() / "bad.cu").string();
  const Outcome wrong = run_glia(with(at, {"--plugin", bad, "--as", "conv2d.forward"}));
  CHECK(wrong.code == 1);
  CHECK(contains(wrong, bad + ":1:9: error: "));
#endif
}

TEST_CASE("plugin: a source without a GPU to time it on is one sentence", "[cli]") {
  const std::string halo = std::string(GLIA_TEST_KERNELS) + "/halo3x3.cu";
  const std::string instead =
      "glia kernel " + halo +
      " --as conv2d.forward judges it without a GPU, and --backend emu runs";
  const Outcome cpu =
      run_glia({"bench", "--device", "cpu", "--plugin", halo, "--as", "conv2d.forward"});
  CAPTURE(cpu.output);
  CHECK(cpu.code == 1);
  CHECK(contains(cpu, ": a kernel in CUDA is timed on a GPU, and --device is cpu; " + instead));
  if (std::filesystem::exists("/dev/nvidiactl")) return;  // may be timed
  const Outcome any = run_glia({"bench", "--plugin", halo, "--as", "conv2d.forward"});
  CAPTURE(any.output);
  CHECK(any.code == 1);
  CHECK(contains(any, instead));
}

TEST_CASE("plugin: what nvcc makes of a source is a plugin for GPUs", "[cli]") {
#if defined(GLIA_TEST_JUDGE)
  const TempFolder folder;
  const auto kernel = folder.path() / "mine.cu";
  write_file_atomically(kernel, run_glia({"kernel", "--new", "relu.forward"}).output);
  const std::string library = (folder.path() / "mine.so").string();
  const std::vector<std::string> make = {"kernel",       kernel.string(), "--as",
                                         "relu.forward", "--gpu-out",     library};
  const bool has_nvcc = run_shell("nvcc --version").code == 0;
  const Outcome made = run_glia(make);
  CAPTURE(made.output);
  if (!has_nvcc) {
    CHECK(made.code == 1);
    CHECK(contains(made, "found no nvcc on the PATH"));
    return;
  }
  REQUIRE(made.code == 0);
  CHECK(contains(made, "written to " + library + ": glia bench --device cuda --plugin"));
  // It loads, and its contract is that of the program.
  const Outcome refused = bench_relu(library, 4);
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(contains(refused, "its kernels are for cuda, and th"));
#endif
}
