// --resident: the same run wherever its slices lie, and what is refused.
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/gpu_backends.h"
#include "tests/cli/workspace.h"

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
  CHECK(contains(on, "training slices on the device"));
  CHECK(contains(automatic, "training slices on the device"));
  CHECK_FALSE(contains(off, "training slices on the device"));
  const std::string weights = read_file(w.path("on/best.safetensors"));
  CHECK((read_file(w.path("off/best.safetensors")) == weights));
  CHECK((read_file(w.path("auto/best.safetensors")) == weights));

  const Outcome resumed = run_glia({"train", "--resume", w.path("on"), "--epochs", "2", "--backend",
                                    "emu", "--resident", "off"});
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
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
