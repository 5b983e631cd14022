// glia bench on a tiny network: what it prints, what it writes, what it refuses.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/cpu_backends.h"
#include "engine/runtime/gpu_backends.h"
#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// A tiny network, each flag of `more` instead of the one here.
Outcome run_bench(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"bench"};
  const std::vector<std::pair<std::string, std::string>> tiny{
      {"--device", "cpu"}, {"--base-width", "4"},  {"--depth", "2"},   {"--batch-size", "2"},
      {"--size", "16"},    {"--row-seconds", "0"}, {"--samples", "2"}, {"--flush-mib", "1"}};
  for (const auto& [flag, value] : tiny)
    if (std::find(more.begin(), more.end(), flag) == more.end()) {
      arguments.push_back(flag);
      arguments.push_back(value);
    }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_glia(arguments);
}

}  // namespace

TEST_CASE("bench: steps that fuse more or less stand side by side", "[cli]") {
  const Outcome outcome = run_bench({"--op", "train_step", "--fuse", "none,s1,auto"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  for (const char* name : {"fuse none", "fuse s1", "fuse auto"}) CHECK(contains(outcome, name));
}

TEST_CASE("bench: inference by itself, at several batch sizes", "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "bench").string();
  const Outcome outcome = run_bench({"--op", "inference", "--batch-size", "1,3", "--out", out});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome, "inference, base width"));
  CHECK(contains(outcome, "s a batch"));
  CHECK_FALSE(contains(outcome, "training step"));
  CHECK_FALSE(contains(outcome, "kernels of a step"));
  const auto steps = nlohmann::json::parse(read_file(folder.path() / "bench/bench.json"))["steps"];
  REQUIRE(steps.size() == 2);
  for (const auto& step : steps) {
    CHECK(step["op"] == "inference");
    CHECK(step["floors"].empty());
    CHECK(step["images_per_s"].get<double>() > 0);
    CHECK(step["launches"].empty());
  }
  // A step needs its gradients besides, and three times the products.
  const Outcome both = run_bench({"--op", "inference,train_step", "--out", out + "2"});
  CAPTURE(both.output);
  REQUIRE(both.code == 0);
  const auto two = nlohmann::json::parse(read_file(folder.path() / "bench2/bench.json"))["steps"];
  REQUIRE(two.size() == 2);
  CHECK(two[0]["op"] == "train_step");
  CHECK(two[0]["flops"].get<double>() > 2 * two[1]["flops"].get<double>());
  CHECK(two[0]["planned_bytes"].get<double>() > two[1]["planned_bytes"].get<double>());
  CHECK(run_bench({"--op", "inference", "--phase", "wgrad"}).code == 1);
}

TEST_CASE("bench: the whole table, and three files", "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "bench").string();
  const Outcome outcome = run_bench({"--out", out});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  for (const char* text :
       {"cpu  fp32  multiply-adds in registers", "cpu  copy  memcpy", "GFLOP/s", "GB/s",
        "training step", "images/s", "S3 and normalisation on load", "encoder.0.conv1",
        "all parameters", "kernels of a step take", "written to"})
    CHECK(contains(outcome, text));
  const auto json = nlohmann::json::parse(read_file(folder.path() / "bench/bench.json"));
  CHECK(json["rows"].size() > 30);
  for (const auto& row : json["rows"]) {
    CHECK(row["problem"] == "");
    CHECK(row["relative_error"].get<double>() < 1e-5);
    CHECK(row["deterministic"] == true);
  }
  CHECK(json["environment"]["threads"].get<int>() >= 1);
  CHECK(json["ceilings"].size() == 2);
  CHECK(json["peaks"]["flops_per_s"] == json["ceilings"][1]["best"]);
  CHECK(std::filesystem::file_size(folder.path() / "bench/bench.csv") > 0);
  CHECK(std::filesystem::file_size(folder.path() / "bench/roofline.svg") > 0);
}

TEST_CASE("bench: results side by side, and status 1 where one got slower", "[cli]") {
  const TempFolder folder;
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  REQUIRE(run_bench({"--op", "max_pool2d", "--samples", "5", "--out", path("old")}).code == 0);
  auto json = nlohmann::json::parse(read_file(folder.path() / "old/bench.json"));
  for (auto& row : json["rows"])
    for (auto& sample : row["samples_s"]["warm"]) sample = 100 * sample.get<double>();
  write_file_atomically(folder.path() / "slow.json", json.dump());
  const std::string old = path("old/bench.json"), slow = path("slow.json");

  const Outcome same = run_glia({"bench", "--compare", old, old, "--fail-above", "0%"});
  CAPTURE(same.output);
  CHECK(same.code == 0);
  CHECK(contains(same, "environment and settings are the same"));
  CHECK(contains(same, "1.000 ["));
  CHECK(contains(same, "not distinguishable"));
  CHECK(run_glia({"bench", "--compare", old, slow}).code == 0);
  const Outcome failed = run_glia({"bench", "--compare", old, slow, "--fail-above", "5%"});
  CAPTURE(failed.output);
  CHECK(failed.code == 1);
  CHECK(contains(failed, "100.000 ["));
  CHECK(contains(failed, "take more than 5% longer than in"));
  CHECK(run_glia({"bench", "--compare", slow, old, old, "--fail-above", "5%"}).code == 0);
  const Outcome json_out = run_glia({"bench", "--compare", old, slow, "--json"});
  CHECK(json_out.code == 0);
  CHECK(nlohmann::json::parse(json_out.output)["items"].size() == json["rows"].size());

  CHECK(contains(run_glia({"bench", "--compare", old, slow, "--fail-above", "0.05"}),
                 "--fail-above: found '0.05', expected a percentage such as 5%"));
  CHECK(contains(run_glia({"bench", "--fail-above", "5%"}), "--fail-above is of --compare"));
  CHECK(contains(run_glia({"bench", "--compare", old, slow, "--op", "max_pool2d"}),
                 "--compare reads files and times nothing"));
  CHECK(run_glia({"bench", "--compare", old}).code != 0);
  CHECK(run_glia({"bench", "--compare", old, path("nothere.json")}).code != 0);
}

TEST_CASE("bench: samples until medians are known, and what is no number of samples", "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "out").string();
  const Outcome sure =
      run_bench({"--op", "max_pool2d", "--samples", "auto", "--row-seconds", "0.05", "--out", out});
  CAPTURE(sure.output);
  CHECK(sure.code == 0);
  const auto json = nlohmann::json::parse(read_file(folder.path() / "out/bench.json"));
  CHECK(json["settings"]["samples"] == "auto");
  CHECK(json["rows"][0]["samples_s"]["warm"].size() >= 3);
  for (const char* bad : {"some", "0", "2.5"}) CHECK(run_bench({"--samples", bad}).code != 0);
}

TEST_CASE("bench: our GPU kernels' ways to convolve stand side by side", "[cli]") {
  if (!find_gpu_backend("emu")) return;
  const std::vector<std::string> conv{"--backend", "emu",      "--op",  "conv2d",    "--shape",
                                      "1x9x17x32", "--kernel", "3x3x8", "--padding", "same"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"bench",         "--device", "cpu",       "--samples",  "1",
                                       "--row-seconds", "0",        "--no-cold", "--copy-mib", "1"};
    arguments.insert(arguments.end(), conv.begin(), conv.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_glia(arguments);
  };
  const Outcome fp32 = with({"--precision", "fp32", "--conv", "naive,tiled"});
  CAPTURE(fp32.output);
  CHECK(fp32.code == 0);
  CHECK(contains(fp32, " naive\n"));
  CHECK(contains(fp32, " tiled\n"));
  const Outcome tf32 = with({"--precision", "tf32", "--conv", "mma,halo"});
  CAPTURE(tf32.output);
  CHECK(tf32.code == 0);
  CHECK(contains(tf32, " mma-tf32\n"));
  CHECK(contains(tf32, " halo-tf32\n"));
  const Outcome refused = with({"--precision", "fp32", "--conv", "halo"});
  CHECK(refused.code == 1);
  CHECK(contains(refused,
                 "--conv halo is for tensor cores, which do not compute in fp32; choose "
                 "--precision tf32 or bf16, or --conv auto, naive or tiled"));
  CHECK(contains(with({"--precision", "bf16", "--conv", "tiled"}),
                 "--conv tiled has no kernels in bf16"));
  CHECK(contains(with({"--conv", "winograd"}), "--conv winograd is for the CPU's own kernels"));
  CHECK(contains(run_bench({"--conv", "naive"}), "--conv naive is for our kernels for GPUs"));
}

TEST_CASE("bench: filters choose, and what nobody has is refused with the choices", "[cli]") {
  const Outcome wgrad = run_bench({"--op", "conv2d,conv_transpose2d", "--phase", "wgrad"});
  CAPTURE(wgrad.output);
  CHECK(wgrad.code == 0);
  CHECK(contains(wgrad, "wgrad"));
  CHECK_FALSE(contains(wgrad, "dgrad"));
  CHECK_FALSE(contains(wgrad, "training step"));
  const Outcome step = run_bench({"--op", "train_step", "--profile-once"});
  CAPTURE(step.output);
  CHECK(step.code == 0);
  CHECK(contains(step, "training step"));
  CHECK_FALSE(contains(step, "encoder.0.conv1"));
  CHECK(contains(step, "run once, not timed"));
  const Outcome unknown = run_bench({"--op", "softmax"});
  CHECK(unknown.code == 1);
  CHECK(contains(unknown, "--op: found 'softmax', the step has adam, batch_norm_relu, conv2d"));
  CHECK(run_bench({"--phase", "sideways"}).code == 2);
  const Outcome none = run_bench({"--op", "adam", "--phase", "dgrad"});
  CHECK(none.code == 1);
  CHECK(contains(none, "no kernel of the step is chosen by both"));
}

TEST_CASE("bench: the ceilings alone, as a table, as JSON and as a file", "[cli]") {
  const TempFolder folder;
  std::vector<std::string> arguments{"bench", "--ceilings", "--device", "cpu", "--flush-mib", "1"};
  const Outcome table = run_glia(arguments);
  CAPTURE(table.output);
  CHECK(table.code == 0);
  CHECK(contains(table, "cpu  fp32  multiply-adds in registers"));
  const bool emulator = find_gpu_backend("emu") != nullptr;
  const std::string out = (folder.path() / "bench").string();
  arguments.insert(arguments.end(), {"--json", "--out", out});
  if (emulator) arguments.insert(arguments.end(), {"--backend", "native,emu"});
  const Outcome outcome = run_glia(arguments);
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  const auto json = nlohmann::json::parse(outcome.output);
  CHECK(json == nlohmann::json::parse(read_file(folder.path() / "bench/ceilings.json")));
  CHECK(json["program"] == "glia bench --ceilings");
  CHECK(json["environment"]["cores"].is_number());
  CHECK(json["ceilings"].size() == (emulator ? 7 : 2));
  for (const auto& ceiling : json["ceilings"]) {
    CHECK(ceiling["problem"] == "");
    CHECK(ceiling["best"].get<double>() >= ceiling["median"].get<double>());
  }
  CHECK(json["peaks"]["cpu"]["flops_per_s"].get<double>() > 0);
  if (emulator)
    for (const char* kind : {"bytes_per_s", "flops_per_s", "tf32_flops_per_s", "bf16_flops_per_s"})
      CHECK(json["peaks"]["emu"][kind].get<double>() > 0);
}

TEST_CASE("bench: the ceilings go with no kernel, and --json with the ceilings", "[cli]") {
  const Outcome both = run_glia({"bench", "--ceilings", "--op", "relu"});
  CHECK(both.code == 1);
  CHECK(contains(both, "--ceilings measures the machine and no kernel; leave it out, or --op"));
  const Outcome json = run_glia({"bench", "--json"});
  CHECK(json.code == 1);
  CHECK(contains(json, "--json is of --ceilings"));
}

TEST_CASE("bench: ways to convolve side by side", "[cli]") {
  const Outcome outcome =
      run_bench({"--op", "conv2d", "--phase", "wgrad", "--conv", "direct,winograd"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  for (const char* text : {" direct ", " winograd ", "peer"}) CHECK(contains(outcome, text));
}

TEST_CASE("bench: rows in bf16 are measured alone and steps beside others, as the refusal advises",
          "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const TempFolder folder;
  const std::string out = (folder.path() / "bench").string();
  const auto bench = [&](const char* precisions, const char* op, const char* list) {
    const Outcome outcome = run_bench(
        {"--backend", "emu", "--precision", precisions, "--op", op, "--out", out, "--overwrite"});
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return nlohmann::json::parse(read_file(folder.path() / "bench/bench.json"))[list];
  };
  std::string advice;
  for (const auto& row : bench("fp32,bf16", "max_pool2d", "rows")) {
    const bool bf16 = row["implementation"] == "bf16";
    CHECK((row["problem"] == "") == !bf16);
    if (bf16) advice = row["problem"].get<std::string>();
  }
  CHECK_THAT(advice, ContainsSubstring("stores activations in bf16, and these rows are of f32"));
  CHECK_THAT(advice, ContainsSubstring("bench it alone (--precision bf16)"));
  const auto alone = bench("bf16", "max_pool2d", "rows");
  CHECK(alone.size() > 0);
  for (const auto& row : alone) CHECK(row["problem"] == "");
  CHECK_THAT(advice, ContainsSubstring("or whole steps (--op train_step)"));
  std::vector<std::string> precisions;
  for (const auto& step : bench("fp32,bf16", "train_step", "steps")) {
    CHECK(step["problem"] == "");
    CHECK(step["step_s"].get<double>() > 0);
    precisions.push_back(step["precision"].get<std::string>());
  }
  for (const char* precision : {"fp32", "bf16"})
    CHECK(std::count(precisions.begin(), precisions.end(), precision) > 0);
}

TEST_CASE("bench: oneDNN's convolutions beside ours, on our tensors and in its layouts", "[cli]") {
  if (!find_cpu_backend("onednn")) {
    const Outcome missing = run_bench({"--backend", "native,onednn"});
    CHECK(missing.code == 1);
    CHECK(contains(missing, "this program was built without oneDNN; install libdnnl-dev"));
    return;
  }
  const TempFolder folder;
  const std::string out = (folder.path() / "bench").string();
  const Outcome outcome = run_bench({"--backend", "native,onednn,onednn-blocked", "--op",
                                     "conv2d,conv_transpose2d,relu", "--out", out});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome, " times native"));
  CHECK(contains(outcome, "onednn-blocked: no total"));
  const auto json = nlohmann::json::parse(read_file(folder.path() / "bench/bench.json"));
  int blocked = 0;
  for (const auto& row : json["rows"]) {
    CAPTURE(row.dump());
    if (row["implementation"] == "onednn-blocked" && row["op"] == "relu") {
      CHECK(row["problem"].get<std::string>().starts_with("unsupported: "));
      continue;
    }
    blocked += row["implementation"] == "onednn-blocked";
    CHECK(row["problem"] == "");
    CHECK(row["relative_error"].get<double>() < 1e-5);
    CHECK(row["deterministic"] == true);
    CHECK(row["cold_s"].is_number());
  }
  CHECK(blocked > 20);
  // --conv is of our kernels; the others stand beside them once.
  const Outcome direct = run_bench({"--backend", "native,onednn", "--conv", "direct,auto", "--op",
                                    "conv2d", "--phase", "wgrad"});
  CAPTURE(direct.output);
  CHECK(direct.code == 0);
  for (const char* text : {" native direct ", " native auto ", "\nonednn: "})
    CHECK(contains(direct, text));
  CHECK_FALSE(contains(direct, "onednn auto"));
  CHECK(contains(run_bench({"--backend", "onednn", "--conv", "direct"}),
                 "--conv direct is for the CPU's own kernels"));
  // A whole step would find its operands in the wrong layout.
  const Outcome step =
      run_bench({"--backend", "native,onednn,onednn-blocked", "--op", "train_step"});
  CAPTURE(step.output);
  CHECK(contains(step, "onednn   eager"));
  CHECK(contains(step, "--backend onednn-blocked has convolutions alone"));
}

TEST_CASE("bench: sizes, backends and help", "[cli]") {
  const Outcome odd = run_bench({"--size", "17"});
  CHECK(odd.code == 1);
  CHECK(contains(odd, "--size: found 17, expected a multiple of 4 (2^depth)"));
  const Outcome batch = run_bench({"--batch-size", "0"});
  CHECK(batch.code == 1);
  CHECK(contains(batch, "--batch-size: found 0, expected 1 to 4096"));
  const Outcome backend = run_bench({"--backend", "native,fast"});
  CHECK(backend.code == 1);
  CHECK(contains(backend, "--backend: found 'fast'"));
  const Outcome help = run_glia({"bench", "--help"});
  CHECK(help.code == 0);
  CHECK(contains(help, "Example:\n  glia bench"));
  CHECK(contains(help, "[native]"));
}
