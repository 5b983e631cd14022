// --resident: the same run wherever its slices lie, and what is refused.
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "engine/runtime/gpu_backends.h"
#include "tests/cli/workspace.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

}  // namespace

TEST_CASE("program: slices on the device change nothing of a run", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  const auto train = [&](const char* run, const char* resident) {
    return run_glia(with(w.train(run, 1), {"--backend", "emu", "--resident", resident}));
  };
  const Outcome on = train("on", "on"), off = train("off", "off"),
                automatic = train("auto", "auto");
  CAPTURE(on.output, off.output);
  REQUIRE(on.code == 0);
  REQUIRE(off.code == 0);
  REQUIRE(automatic.code == 0);
  CHECK(contains(on, "training and validation slices on the device"));
  CHECK(contains(automatic, "training and validation slices on the device"));
  CHECK_FALSE(contains(off, "slices on the device"));
  const std::string weights = read_file(w.path("on/best.safetensors"));
  CHECK((read_file(w.path("off/best.safetensors")) == weights));
  CHECK((read_file(w.path("auto/best.safetensors")) == weights));

  const Outcome resumed = run_glia({"train", "--resume", w.path("on"), "--epochs", "2", "--backend",
                                    "emu", "--resident", "off"});
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
}

TEST_CASE("program: slices that find no memory on the device come batch by batch", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const CliWorkspace w(16);
  // A thousand slices of 256x256 take 1000 MiB, which the emulator is refused.
  const TempFolder folder;
  const std::string data = (folder.path() / "data").string(), list = (folder.path() / "l").string();
  std::string ids, one = "0\n";
  const std::vector<float> image(256 * 256 * 3, 1);
  const std::vector<std::uint8_t> mask(256 * 256, 1);
  std::filesystem::create_directories(data);
  write_npy<float>(data + "/0_img.npy", {256, 256, 3}, image);
  write_npy<std::uint8_t>(data + "/0_seg.npy", {256, 256}, mask);
  for (int i = 1; i < 1000; ++i)
    for (const char* end : {"_img.npy", "_seg.npy"})
      std::filesystem::create_hard_link(data + "/0" + end, data + "/" + std::to_string(i) + end);
  for (int i = 1; i < 1000; ++i) ids += std::to_string(i) + "\n";
  write_file_atomically(list, ids);
  write_file_atomically(list + "1", one);
  const auto train = [&](const char* resident) {
    const std::string out = (folder.path() / resident).string();
    return run_shell("ulimit -v 800000 && \"$GLIA\" train --data " + data + " --train-list " +
                     list + " --val-list " + list +
                     "1 --backend emu --base-width 1 --depth 1 --batch-size "
                     "1 --epochs 1 --max-steps 1 --out " +
                     out + " --resident " + resident);
  };
  const Outcome automatic = train("auto"), on = train("on"), off = train("off");
  CAPTURE(automatic.output, on.output, off.output);
  CHECK(automatic.code == 0);
  CHECK(contains(automatic, "warning: training slices come batch by batch, since out of memory"));
  CHECK(on.code == 1);
  CHECK(contains(on, "leave it out, and slices come batch by batch"));
  CHECK(off.code == 0);
}

TEST_CASE("program: validation slices that do not fit beside those of training are read", "[cli]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  constexpr std::int64_t kTrain = 20, kVal = 1000, kSliceBytes = 16 * 16 * (3 + 1) * 4;
  const TempFolder folder;
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  const std::string data = path("data");
  std::filesystem::create_directories(data);
  write_npy<float>(data + "/0_img.npy", {16, 16, 3}, std::vector<float>(16 * 16 * 3, 1));
  write_npy<std::uint8_t>(data + "/0_seg.npy", {16, 16}, std::vector<std::uint8_t>(16 * 16, 1));
  std::string train_ids, val_ids;
  for (std::int64_t i = 0; i < kTrain + kVal; ++i) {
    (i < kTrain ? train_ids : val_ids) += std::to_string(i) + "\n";
    for (const char* end : {"_img.npy", "_seg.npy"})
      if (i > 0)
        std::filesystem::create_hard_link(data + "/0" + end, data + "/" + std::to_string(i) + end);
  }
  write_file_atomically(path("train.txt"), train_ids);
  write_file_atomically(path("val.txt"), val_ids);
  const Words shape{"--base-width", "2", "--depth", "1", "--batch-size", "20"};
  const Json plan = Json::parse(
      run_glia(
          with({"plan", "--device", "cuda", "--size", "16", "--channels", "3", "--json"}, shape))
          .output);
  const auto step = plan["device_bytes"].get<std::int64_t>();
  const auto train = [&](const std::string& run, std::int64_t memory) {
    const Outcome outcome = run_shell(fmt::format(
        "GLIA_EMU_MEMORY={} \"$GLIA\" train --data {} --train-list {} --val-list {} --backend emu "
        "{} --epochs 1 --out {}",
        memory, data, path("train.txt"), path("val.txt"), fmt::join(shape, " "), path(run)));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome;
  };
  const std::int64_t slices = (kTrain + kVal) * kSliceBytes;
  const Outcome all = train("all", step + 2 * slices), some = train("some", step + slices / 2);
  CHECK(contains(all, "training and validation slices on the device"));
  CHECK(contains(some, "training slices on the device"));
  CHECK((read_file(path("all/best.safetensors")) == read_file(path("some/best.safetensors"))));
}

TEST_CASE("program: the CPU refuses to keep slices, and plan counts a GPU's", "[cli]") {
  const CliWorkspace w(16);
  const Outcome refused =
      run_glia(with(w.train("run", 1), {"--device", "cpu", "--resident", "on"}));
  CAPTURE(refused.output);
  CHECK(refused.code == 1);
  CHECK(contains(refused, "takes batches from the host's memory"));
  CHECK(contains(refused, "leave --resident out"));
  CHECK(run_glia(with(w.train("run", 1), {"--device", "cpu"})).code == 0);

  const Words plan{"plan",       "--size", "32",       "--base-width", "4",
                   "--channels", "3",      "--slices", "1000",         "--json"};
  CHECK(contains(run_glia(plan), "--slices: the CPU reads slices as they are needed"));
  const Words tight = {"plan", "--device", "cuda", "--base-width", "2", "--available-mib", "1000"};
  CHECK(contains(run_glia(with(tight, {"--slices", "7000"})), "leave --slices out"));
  CHECK(contains(run_glia(tight), "hold at most --batch-size"));
  CHECK(contains(run_glia({"plan", "--precision", "tf32"}), "pass --device cuda with it"));
  CHECK(run_glia({"plan", "--precision", "tf32", "--device", "cuda"}).code == 0);
  CHECK(run_glia({"plan", "--precision", "fp32"}).code == 0);
  const auto bytes_of = [](const Outcome& outcome) { return Json::parse(outcome.output); };
  const Json with_slices = bytes_of(run_glia(with(plan, {"--device", "cuda"})));
  CHECK(with_slices["resident_bytes"] == 1000 * 32 * 32 * 4 * 4);
  const Words without{"plan", "--size", "32", "--base-width", "4", "--json", "--device", "cuda"};
  const Json none = bytes_of(run_glia(without));
  CHECK(none["resident_bytes"] == 0);
  CHECK(with_slices["device_bytes"].get<std::int64_t>() ==
        none["device_bytes"].get<std::int64_t>() + 1000 * 32 * 32 * 4 * 4);
}
