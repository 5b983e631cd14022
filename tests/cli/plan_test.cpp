// glia plan as a user runs it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/cli/workspace.h"

namespace glia {

namespace {

using Json = nlohmann::json;

/// With other flags after those of a small network.
Outcome plan(std::vector<std::string> more, const char* batch = "2") {
  std::vector<std::string> words{"plan", "--batch", batch, "--size",    "32", "--base-width",
                                 "8",    "--depth", "2",   "--threads", "2"};
  words.insert(words.end(), more.begin(), more.end());
  return run_glia(words);
}

}  // namespace

TEST_CASE("plan: lists tensors, the fullest moment and the largest batch", "[cli]") {
  const Outcome outcome = plan({"--available-mib", "200", "--least-mib", "0.1"});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  for (const char* text : {"encoder.0.conv1", "weights and gradients", "[2,32,32,16] f32",
                           "smaller ones", "fullest at kernel", "on the device",
                           "the program itself", "200 MiB hold at most --batch-size "})
    CHECK(outcome.output.find(text) != std::string::npos);
  const Outcome small = plan({"--available-mib", "1"});
  CHECK(small.code == 0);
  CHECK(small.output.find("1 MiB do not hold one image") != std::string::npos);
  std::istringstream lines(run_glia({"plan", "--batch-size", "6"}).output);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
  }
}

TEST_CASE("plan: as JSON, lean needs less than fast and a GPU's plan says what is missing",
          "[cli]") {
  const Json lean = Json::parse(plan({"--json"}).output);
  const Json fast = Json::parse(plan({"--json", "--memory", "fast"}).output);
  CHECK(lean["device_bytes"] < fast["device_bytes"]);
  CHECK(lean["tensors"].size() > 20);
  CHECK(lean["tensors"][0]["kind"] == "weights and gradients");
  const Outcome gpu = plan({"--device", "cuda"});
  CHECK(gpu.output.find("a GPU take besides is not counted") != std::string::npos);
}

TEST_CASE("plan: of ranks and shards one rank's memory, and that of all in one process", "[cli]") {
  const auto with = [](std::vector<std::string> more, const char* batch = "8") {
    more.insert(more.end(), {"--norm", "group"});
    return plan(more, batch);
  };
  const Json whole = Json::parse(with({"--json"}).output);
  const Json shards = Json::parse(with({"--json", "--shards", "4"}).output);
  CHECK(shards["shards_in_turn"] == 4);
  CHECK(shards["step_bytes"] < whole["step_bytes"]);
  const Outcome both = with({"--ranks", "2", "--shards", "4"});
  CAPTURE(both.output);
  for (const char* text : {"one of 2 ranks, 2 shards in turn", "2 ranks in one process"})
    CHECK(both.output.find(text) != std::string::npos);
  // A batch norm's shards are ranks.
  const Json side = Json::parse(plan({"--json", "--shards", "4"}, "8").output);
  CHECK(side["ranks"] == 4);
  CHECK(side["shards_in_turn"] == 1);
  // As glia train says it, and the advice holds.
  const Outcome odd = with({"--shards", "3"});
  CHECK(odd.code == 1);
  CHECK(odd.output.find("choose --ranks 3, or --shards 1") != std::string::npos);
  CHECK(with({"--ranks", "3", "--shards", "3"}, "9").code == 0);
  CHECK(with({"--shards", "16"}).output.find("choose a multiple of 16") != std::string::npos);
}

TEST_CASE("plan: the shell's limits are known, by name, to plan, doctor and train", "[cli]") {
  const std::string network = " --base-width 32 --size 240 --threads 1";
  for (const char* limit : {"-v", "-d"}) {
    CAPTURE(limit);
    const std::string ulimit = fmt::format("ulimit {} 1000000 && \"$GLIA\" ", limit);
    const std::string name = fmt::format("ulimit {} of 977 MiB", limit);
    const Outcome planned = run_shell(ulimit + "plan --batch 64" + network);
    CAPTURE(planned.output);
    CHECK(planned.code == 0);
    CHECK(contains(planned, "MiB, free under " + name));
    CHECK(contains(planned, "; 64 do not fit"));
    CHECK(contains(run_shell(ulimit + "doctor"), name));
  }
}

TEST_CASE("train: a step beyond the shell's limits is refused, with advice that can be followed",
          "[cli]") {
  const CliWorkspace w(96);
  const auto train = [&](const std::string& limit, const std::string& batch) {
    return run_shell(
        fmt::format("ulimit {} && \"$GLIA\" train --data {} --split {} --out {} --base-width 32 "
                    "--depth 2 --max-steps 1 --device cpu --threads 1 --batch-size {}",
                    limit, w.path("slices"), w.path("split"), w.path("run"), batch));
  };
  for (const auto& [limit, name] : {std::pair("-v 500000", "ulimit -v of 488 MiB"),
                                    std::pair("-d 150000", "ulimit -d of 146 MiB")}) {
    CAPTURE(limit);
    const Outcome refused = train(limit, "256");
    CAPTURE(refused.output);
    CHECK(refused.code == 1);
    CHECK(std::count(refused.output.begin(), refused.output.end(), '\n') == 1);
    CHECK(contains(refused, "The tensors of a step with --batch-size 256 need"));
    CHECK(contains(refused, fmt::format("were free under {}", name)));
    CHECK_FALSE(std::filesystem::exists(w.path("run")));
    const std::string hint = "which holds those of --batch-size ";
    const std::size_t place = refused.output.find(hint);
    REQUIRE(place != std::string::npos);
    const int batch = std::stoi(refused.output.substr(place + hint.size()));
    CHECK(batch >= 2);
    const Outcome followed = train(limit, std::to_string(batch));
    CAPTURE(followed.output);
    CHECK(followed.code == 0);
    std::filesystem::remove_all(w.path("run"));
  }
}

TEST_CASE("plan: what does not fit is refused", "[cli]") {
  const Outcome odd = run_glia({"plan", "--size", "36"});
  CHECK(odd.code == 1);
  CHECK(odd.output.find("--size: found 36, expected a multiple of 16") != std::string::npos);
  CHECK(run_glia({"plan", "--batch", "0"}).code == 2);
}

}  // namespace glia
