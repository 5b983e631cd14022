// --device and --backend: what is taken, what is refused, and training on the emulated GPU.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/cpu_backends.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"
#include "tests/cli/workspace.h"

using namespace glia;

TEST_CASE("program: auto says which device it took", "[cli]") {
  const CliWorkspace w;
  const Outcome outcome = run_glia(w.train("run", 1));
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "device: c"));
  // Why there is no GPU, and how to come by one, is for doctor to say.
  CHECK_FALSE(contains(outcome, "install"));
  const Outcome doctor = run_glia({"doctor"});
  CHECK(contains(doctor, "backends"));
  if (contains(outcome, "device: cpu"))
    CHECK((contains(doctor, "gpu none") || contains(doctor, "cannot be used")));
}

TEST_CASE("program: devices that are not there are refused, and nothing else is taken", "[cli]") {
  const CliWorkspace w;
  const Outcome misspelt = run_glia(with(w.train("a"), {"--device", "gpu"}));
  CHECK(misspelt.code == 2);
  CHECK(contains(misspelt, "expected auto, cpu, cuda or cuda:i"));
  const Outcome missing = run_glia(with(w.train("b"), {"--device", "cuda:99"}));
  CAPTURE(missing.output);
  CHECK(missing.code == 1);
  CHECK_FALSE(contains(missing, "epoch 1/"));
}

TEST_CASE("program: oneDNN trains, resumes and evaluates, on the CPU only", "[cli]") {
  const CliWorkspace w(16);
  const auto arguments = with(w.train("run", 1), {"--backend", "onednn"});
  const Outcome trained = run_glia(arguments);
  CAPTURE(trained.output);
  if (!find_cpu_backend("onednn")) {
    CHECK(trained.code == 1);
    CHECK(contains(trained, "this program was built without oneDNN; install libdnnl-dev"));
    return;
  }
  CHECK(trained.code == 0);
  CHECK(contains(trained, "epoch 1/1  train loss"));
  // The same weights and batches: the first epoch's losses are those of our kernels but for
  // rounding.
  REQUIRE(run_glia(with(w.train("ours", 1), {})).code == 0);
  const auto loss = [&](const std::string& run) {
    const std::string line = read_file(w.path(run + "/metrics.jsonl"));
    return nlohmann::json::parse(line.substr(0, line.find('\n')))["train_loss"].get<double>();
  };
  CHECK(loss("run") == Approx(loss("ours")).epsilon(1e-3));
  const Outcome resumed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--backend", "onednn"});
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
  const Outcome evaluated =
      run_glia({"evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data",
                w.path("slices"), "--list", w.path("split/val.txt"), "--backend", "onednn"});
  CHECK(evaluated.code == 0);

  const Outcome on_gpu =
      run_glia(with(w.train("gpu"), {"--backend", "onednn", "--device", "cuda"}));
  CHECK(on_gpu.code == 1);
  CHECK(contains(on_gpu, "--backend onednn runs on the CPU; found --device cuda"));
  const Outcome conv = run_glia(with(w.train("conv"), {"--backend", "onednn", "--conv", "direct"}));
  CHECK(conv.code == 1);
  CHECK(contains(conv, "--conv direct is for the CPU's own kernels"));
}

TEST_CASE("program: oneDNN's own layouts are for glia bench, and training refuses them", "[cli]") {
  const CliWorkspace w(16);
  const Outcome train = run_glia(with(w.train("run", 1), {"--backend", "onednn-blocked"}));
  CAPTURE(train.output);
  CHECK(train.code == 2);
  CHECK(contains(train, "--backend: onednn-blocked has convolutions alone"));
  CHECK_FALSE(std::filesystem::exists(w.path("run")));
  CHECK_THROWS_WITH(open_device({.device = "cpu", .backend = "onednn-blocked"}),
                    "--backend onednn-blocked has convolutions alone and is for the rows of glia "
                    "bench; choose --backend onednn");
}

TEST_CASE("program: bf16 on the CPU is recorded and kept, and refused where it is not there",
          "[cli]") {
  const CliWorkspace w(16);
  CHECK(run_glia(with(w.train("a"), {"--precision", "fp16"})).code == 2);
  const Outcome library = run_glia(
      with(w.train("b"), {"--device", "cpu", "--backend", "onednn", "--precision", "bf16"}));
  CHECK(library.code == 1);
  if (find_cpu_backend("onednn"))
    CHECK(contains(library, "--precision bf16 is for Glia's own kernels and NVIDIA's"));
  const Outcome winograd = run_glia(
      with(w.train("c"), {"--device", "cpu", "--conv", "winograd", "--precision", "bf16"}));
  CHECK(winograd.code == 1);
  CHECK(contains(winograd, "--precision bf16 with --conv winograd"));

  const Outcome trained =
      run_glia(with(w.train("run", 1), {"--device", "cpu", "--precision", "bf16"}));
  CAPTURE(trained.output);
  if (cpu_bf16_instructions() == nullptr) {
    CHECK(trained.code == 1);
    CHECK(contains(trained, "--precision bf16 needs AMX (amx_bf16) or AVX512-BF16"));
    CHECK(contains(trained, "; choose --precision fp32, or a processor"));
    CHECK_FALSE(contains(trained, "epoch 1/"));
    return;
  }
  CHECK(trained.code == 0);
  CHECK(contains(trained, "precision: convolutions in bf16"));
  CHECK(read_file(w.path("run/config.json")).find("\"precision\": \"bf16\"") != std::string::npos);
  const Outcome resumed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--device", "cpu"});
  CHECK(resumed.code == 0);
  CHECK(contains(resumed, "precision: convolutions in bf16"));
  const Outcome changed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "3", "--precision", "fp32"});
  CHECK(changed.code == 1);
  CHECK(contains(changed, "--precision cannot be changed when resuming"));
  const Outcome evaluated = run_glia({"evaluate", "--checkpoint", w.path("run/best.safetensors"),
                                      "--data", w.path("slices"), "--list", w.path("split/val.txt"),
                                      "--device", "cpu", "--precision", "bf16"});
  CAPTURE(evaluated.output);
  CHECK(evaluated.code == 0);
}

TEST_CASE("program: the emulated GPU trains, resumes and evaluates", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const Outcome trained = run_glia(with(w.train("run", 1), {"--backend", "emu"}));
  CAPTURE(trained.output);
  CHECK(trained.code == 0);
  CHECK(contains(trained, "epoch 1/1  train loss"));
  const Outcome resumed =
      run_glia({"train", "--resume", w.path("run"), "--epochs", "2", "--backend", "emu"});
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
  for (const char* backend : {"emu", "native"}) {
    const Outcome evaluated =
        run_glia({"evaluate", "--checkpoint", w.path("run/best.safetensors"), "--data",
                  w.path("slices"), "--list", w.path("split/val.txt"), "--backend", backend});
    CAPTURE(evaluated.output);
    CHECK(evaluated.code == 0);
  }
}

TEST_CASE("program: a GPU with too little memory: what is needed, what fits, nothing lost",
          "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w;
  auto arguments = with(w.train("run", 1), {"--backend", "emu"});
  *(std::find(arguments.begin(), arguments.end(), "--batch-size") + 1) = "8";
  REQUIRE(setenv("GLIA_EMU_MEMORY", "2500000", 1) == 0);
  const Outcome outcome = run_glia(arguments);
  unsetenv("GLIA_EMU_MEMORY");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "out of memory: the GPU refused"));
  CHECK(contains(outcome, "a step with --batch-size 8 need"));
  CHECK(contains(outcome, "which holds those of --batch-size"));
  CHECK_FALSE(contains(outcome, "terminate called"));
}

TEST_CASE("program: OpenMP's own variables do not take threads away", "[cli]") {
  const auto cores = [](const std::string& before) {
    const Outcome outcome = run_shell(before + " \"$GLIA\" doctor --json");
    CAPTURE(before, outcome.output);
    REQUIRE(outcome.code == 0);
    // Where there is no /sys the OpenMP library has a line of its own to say before.
    const std::string json = outcome.output.substr(outcome.output.find('{'));
    return nlohmann::json::parse(json)["cores"].get<int>();
  };
  const int all = cores("");
  for (const char* variable :
       {"OMP_PROC_BIND=close", "OMP_PROC_BIND=spread", "OMP_PROC_BIND=true", "OMP_PLACES=cores",
        "OMP_PLACES=threads", "OMP_NUM_THREADS=1", "GOMP_CPU_AFFINITY=0-1023"})
    CHECK(cores(variable) == all);
  // What the user gives less of stays less.
  const std::string first =
      "core=$(grep Cpus_allowed_list /proc/self/status | grep -o '[0-9]*' | head -n 1); ";
  CHECK(cores(first + "OMP_PROC_BIND=close taskset -c $core") == 1);
  CHECK(cores(first + "OMP_PLACES=\"{$core}\"") == 1);
}

TEST_CASE("program: threads of a bound program that are not OpenMP's run on every core", "[cli]") {
  const CliWorkspace w(16);
  const Outcome bound = run_shell(fmt::format(
      "OMP_PROC_BIND=close \"$GLIA\" train --data {0} --split {1} --out {2} --base-width 4 "
      "--depth 2 --batch-size 2 --epochs 5000 --device cpu --loader-threads 2 > /dev/null & "
      "for try in $(seq 600); do test -e {2}/metrics.csv && break; sleep 0.05; done; "
      "grep -h Cpus_allowed_list /proc/$!/task/*/status; kill -9 $!",
      w.path("slices"), w.path("split"), w.path("run")));
  const Outcome here = run_shell("grep Cpus_allowed_list /proc/self/status");
  CAPTURE(bound.output, here.output);
  std::size_t everywhere = 0;
  for (std::size_t at = bound.output.find(here.output); at != std::string::npos;
       at = bound.output.find(here.output, at + 1))
    ++everywhere;
  CHECK(everywhere >= 2);  // those that load
}
