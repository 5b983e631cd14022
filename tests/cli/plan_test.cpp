// glia plan as a user runs it.
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/catch.h"
#include "tests/cli/program.h"

namespace glia {

namespace {

using Json = nlohmann::json;

/// With other flags after those of a small network.
Outcome plan(std::vector<std::string> more) {
  std::vector<std::string> words{"plan", "--batch", "2", "--size",    "32", "--base-width",
                                 "8",    "--depth", "2", "--threads", "2"};
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

TEST_CASE("plan: what does not fit is refused", "[cli]") {
  const Outcome odd = run_glia({"plan", "--size", "36"});
  CHECK(odd.code == 1);
  CHECK(odd.output.find("--size: found 36, expected a multiple of 16") != std::string::npos);
  CHECK(run_glia({"plan", "--batch", "0"}).code == 2);
}

}  // namespace glia
