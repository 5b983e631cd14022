// --precision as a user meets it: what is taken is told and recorded, kept when resuming, and
// refused where a device does not have it.
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/device.h"
#include "tests/cli/workspace.h"

using namespace glia;

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

Json json_of(const std::string& file) {
  return Json::parse(read_file(file));
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

/// Scores the run's best checkpoint and returns the settings in its JSON.
Json evaluate(const CliWorkspace& w, const Words& flags, bool other_precision) {
  const Outcome outcome =
      run_glia(with({"evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data",
                     w.path("slices"), "--list", w.path("split/val.txt"), "--json",
                     w.path("scores.json"), "--overwrite", "--device", "cpu"},
                    flags));
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(times(outcome.output, "precision: trained with convolutions in tf32, computed in fp32") ==
        (other_precision ? 1 : 0));
  return json_of(w.path("scores.json"));
}

}  // namespace

TEST_CASE("program: a GPU trains in tf32 unless asked for fp32, and everything says so", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const Outcome trained = run_glia(with(w.train("run", 1), {"--backend", "emu"}));
  CAPTURE(trained.output);
  REQUIRE(trained.code == 0);
  CHECK(times(trained.output, "precision: ") == 1);
  CHECK(contains(trained, "convolutions in tf32, summed in fp32; --precision fp32 is exact"));
  CHECK(contains(trained, "from scratch, convolutions in tf32"));
  CHECK(json_of(w.path("run/config.json"))["train"]["precision"] == "tf32");
  CHECK(read_file(w.path("run/log.txt")).find("convolutions in tf32") != std::string::npos);
  CHECK(read_file(w.path("run/report.html")).find("tf32") != std::string::npos);

  // The CPU does not have it: one line, and what it advises works.
  const Outcome refused =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--device", "cpu"});
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(times(refused.output, "\n") == 1);
  CHECK(contains(refused, w.path("run") +
                              ": the run is one of --precision tf32, which is for GPUs, and the "
                              "device is cpu with --backend native; resume it with --device cuda "
                              "or --backend emu, or start a new run"));
  const Outcome resumed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--backend", "emu"});
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
  CHECK(contains(resumed, "resumed, convolutions in tf32"));
  const Outcome changed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "3", "--precision", "fp32"});
  CHECK(changed.code == 1);
  CHECK(contains(changed, "--precision cannot be changed when resuming"));

  const Json here = evaluate(w, {}, true);
  CHECK(here["precision"] == "fp32");
  CHECK(here["provenance"]["model"]["precision"] == "tf32");
  CHECK(evaluate(w, {"--backend", "emu"}, false)["precision"] == "tf32");
  CHECK(evaluate(w, {"--backend", "emu", "--precision", "fp32"}, true)["precision"] == "fp32");
  for (const char* command : {"predict", "explain"}) {
    Words words{command,
                "--checkpoint",
                w.path("run/best.safetensors"),
                "--input",
                w.path("slices"),
                "--list",
                w.path("split/val.txt"),
                "--out",
                w.path(command),
                "--device",
                "cpu"};
    if (command == std::string("explain")) words.insert(words.end(), {"--methods", "saliency"});
    const Outcome outcome = run_glia(words);
    CAPTURE(command, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(times(outcome.output, "trained with convolutions in tf32, computed in fp32 here") == 1);
  }
  // A checkpoint knows it without the run's folder.
  std::filesystem::copy_file(w.path("run/best.safetensors"), w.path("alone.safetensors"));
  REQUIRE(run_glia({"model-card", "--checkpoint", w.path("alone.safetensors"), "--out",
                    w.path("card.md")})
              .code == 0);
  CHECK(read_file(w.path("card.md")).find("| precision | tf32 |") != std::string::npos);
}

TEST_CASE("program: a GPU stores activations in bf16 where it is asked to", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const Outcome trained =
      run_glia(with(w.train("run", 1), {"--backend", "emu", "--precision", "bf16", "--trace"}));
  CAPTURE(trained.output);
  REQUIRE(trained.code == 0);
  CHECK(times(trained.output, "precision: ") == 1);
  CHECK(contains(trained, "precision: activations in bf16, sums, parameters and losses in fp32"));
  CHECK(json_of(w.path("run/config.json"))["train"]["precision"] == "bf16");
  // Every convolution is on tensor cores, the first layer and the head too.
  for (const char* algorithm : {" tiled ", " naive ", " shuffled "})
    CHECK_FALSE(contains(trained, algorithm));
  CHECK(contains(trained, "mma-bf16"));

  const Outcome resumed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--backend", "emu"});
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
  CHECK(contains(resumed, "precision: activations in bf16"));
  // What was stopped goes on with the bits of a run that was not.
  REQUIRE(run_glia(with(w.train("whole", 2), {"--backend", "emu", "--precision", "bf16"})).code ==
          0);
  const auto tensors = [&](const std::string& run) {
    const std::string bytes = read_file(w.path(run + "/last.safetensors"));
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    return bytes.substr(sizeof header + header);
  };
  CHECK((tensors("run") == tensors("whole")));

  for (const Words& device : {Words{"--device", "cpu"}, Words{"--backend", "emu"}}) {
    const Outcome evaluated =
        run_glia(with({"evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data",
                       w.path("slices"), "--list", w.path("split/val.txt")},
                      device));
    CAPTURE(evaluated.output);
    CHECK(evaluated.code == 0);
    CHECK(contains(evaluated, "precision: trained with convolutions in bf16, computed in "));
  }
  const Outcome planned = run_glia({"plan", "--device", "cuda", "--precision", "bf16", "--json"});
  const Outcome plain = run_glia({"plan", "--device", "cuda", "--json"});
  REQUIRE(planned.code == 0);
  REQUIRE(plain.code == 0);
  // Half of the activations, all of the weights, and their shadow.
  const auto bytes = [](const Outcome& plan) {
    return Json::parse(plan.output)["device_bytes"].get<double>();
  };
  CHECK(bytes(planned) < 0.6 * bytes(plain));
  CHECK(bytes(planned) > 0.5 * bytes(plain));
}

TEST_CASE("program: --precision fp32 on a GPU trains as the CPU does", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const auto loss = [&](const std::string& run, const Words& flags) {
    const Outcome outcome = run_glia(with(w.train(run, 1), flags));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    CHECK_FALSE(contains(outcome, "precision: "));
    CHECK(json_of(w.path(run + "/config.json"))["train"]["precision"] == "fp32");
    const std::string lines = read_file(w.path(run + "/metrics.jsonl"));
    return Json::parse(lines.substr(0, lines.find('\n')))["train_loss"].get<double>();
  };
  CHECK(loss("emu", {"--backend", "emu", "--precision", "fp32"}) ==
        Approx(loss("cpu", {"--device", "cpu"})).epsilon(1e-3));
}

TEST_CASE("program: a precision that a device does not have is one message and no run", "[cli]") {
  const CliWorkspace w(16);
  const auto refuses = [&](const Words& flags, int code, const std::string& text) {
    const Outcome outcome = run_glia(with(w.train("run", 1), flags));
    CAPTURE(outcome.output);
    CHECK(outcome.code == code);
    CHECK(contains(outcome, text));
    CHECK_FALSE(std::filesystem::exists(w.path("run")));
  };
  refuses({"--device", "cpu", "--precision", "tf32"}, 1,
          "--precision tf32 is for GPUs, and the device is cpu with --backend native; choose "
          "--precision fp32");
  refuses({"--backend", "cudnn-tf32"}, 2, "--backend");
  CHECK(run_glia({"plan", "--device", "cuda", "--precision", "tf32"}).code == 0);
  CHECK(run_glia({"plan", "--device", "cuda", "--precision", "bf16"}).code == 0);
  const Outcome cpu = run_glia({"plan", "--precision", "tf32"});
  CHECK(cpu.code == 1);
  CHECK(contains(cpu, "--precision tf32 is for GPUs"));
}

TEST_CASE("program: doctor says what each device's convolutions can be computed in", "[cli]") {
  const Json found = Json::parse(run_glia({"doctor", "--json"}).output)["precision"];
  CHECK(found["cpu"] == (cpu_bf16_instructions() ? "fp32 (default), bf16" : "fp32 (default)"));
  if (find_gpu_backend("emu")) CHECK(found["emu"] == "tf32 (default), fp32, bf16");
}

TEST_CASE("program: bench sets precisions side by side, of each backend those that it has",
          "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const auto rows = [&](const std::string& backends, const std::string& precisions) {
    Words words{"bench",       "--device",  "cpu",        "--backend",
                backends,      "--op",      "conv2d",     "--phase",
                "forward",     "--shape",   "1x8x8x8",    "--kernel",
                "3x3x8",       "--samples", "1",          "--row-seconds",
                "0",           "--no-cold", "--copy-mib", "1",
                "--threads",   "1",         "--out",      w.path("bench"),
                "--flush-mib", "1",         "--overwrite"};
    if (!precisions.empty()) words.insert(words.end(), {"--precision", precisions});
    const Outcome outcome = run_glia(words);
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    Words names;
    const Json json = json_of(w.path("bench/bench.json"));
    for (const Json& row : json["rows"]) {
      names.push_back(row["implementation"].get<std::string>());
      // In tf32 is what a kernel for tensor cores computed, and nothing else.
      const bool tf32 = row["algorithm"].get<std::string>().ends_with("tf32");
      CHECK(row["arithmetic"] == (tf32 ? "tf32" : "fp32"));
      const bool exact = names.back().ends_with("fp32") || names.back() == "native";
      CHECK_FALSE((tf32 && exact));
    }
    return names;
  };
  CHECK(rows("emu", "") == Words{"emu"});
  CHECK(rows("emu", "fp32,tf32") == Words{"fp32", "tf32"});
  CHECK(rows("native,emu", "") == Words{"native", "emu"});
  CHECK(rows("native,emu", "fp32,auto") ==
        Words{"native fp32", "native auto", "emu fp32", "emu auto"});
}

TEST_CASE("program: --trace names the kernel that computed each pass", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  // With eight channels or more on both sides convolutions are on tensor cores, others in fp32.
  const auto trace = [&](const std::string& run, const std::string& precision) {
    const Outcome outcome = run_glia(with(w.train(run, 1), {"--backend", "emu", "--max-steps", "1",
                                                            "--trace", "--precision", precision}));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome.output;
  };
  const auto row = [](const std::string& kernel, const std::string& algorithm) {
    return fmt::format("{:<28} {:<17} ", kernel, algorithm);
  };
  const std::string tf32 = trace("a", "tf32"), fp32 = trace("b", "fp32");
  for (const char* kernel : {"conv2d_forward", "conv2d_dgrad", "conv2d_wgrad",
                             "conv_transpose2d_dgrad", "conv_transpose2d_wgrad"}) {
    CHECK(times(tf32, row(kernel, "mma-tf32")) == 1);
    CHECK(times(fp32, row(kernel, "mma-tf32")) == 0);
    CHECK(times(fp32, row(kernel, "tiled")) == 1);
  }
  CHECK(times(tf32, row("conv_transpose2d_forward", "shuffled-mma-tf32")) == 1);
  CHECK(times(fp32, row("conv_transpose2d_forward", "shuffled")) == 1);
  CHECK(times(tf32, row("conv2d_forward", "tiled")) == 1);
}

TEST_CASE("program: --trace lists what a GPU is given, augmentation too", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const auto trace = [&](const std::string& run, const std::string& backend) {
    const Outcome outcome =
        run_glia(with(w.train(run, 1), {"--backend", backend, "--max-steps", "1", "--trace"}));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome;
  };
  const Outcome emu = trace("a", "emu"), cpu = trace("b", "native");
  CHECK(contains(emu, fmt::format("{:<28} {:<17} {:>7}", "augment_batch", "", 1)));
  CHECK(contains(emu, "launches"));
  CHECK(contains(emu, fmt::format("{:<46} {:>7}", "augment_move", 1)));
  CHECK(contains(emu, fmt::format("{:<46} {:>7}", "adam_step", 1)));
  CHECK_FALSE(contains(cpu, "launche"));
}
