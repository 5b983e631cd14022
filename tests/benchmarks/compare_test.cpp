// Files of results side by side: what is told apart, what is not, and what is refused.
#include <nlohmann/json.hpp>

#include "benchmarks/suite/compare.h"
#include "engine/base/file.h"
#include "engine/base/rng.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;
using namespace glia::bench;

namespace {

/// Samples around a median, each a little other.
std::vector<double> around(double median, double spread, std::size_t count, std::uint64_t stream) {
  Sequence draw(7, stream);
  std::vector<double> samples;
  for (std::size_t i = 0; i < count; ++i)
    samples.push_back(median * (1 + spread * draw.uniform(-1, 1)));
  return samples;
}

BenchFile file_of(const std::string& name, const std::vector<double>& seconds) {
  return {.name = name,
          .environment = {{"cpu", "any"}},
          .items = {{.key = "relu", .name = "relu", .seconds = seconds}}};
}

nlohmann::json results() {
  return {{"format", 1},
          {"program", "glia bench"},
          {"environment", {{"cpu", "any"}, {"gpu", {{"none", "no"}}}}},
          {"settings", {{"samples", 3}}},
          {"steps", {{{"base_width", 4}, {"implementation", "native"}, {"samples_s", {2.0, 3.0}}}}},
          {"rows",
           {{{"layer", "a"},
             {"op", "relu"},
             {"implementation", "native"},
             {"algorithm", nullptr},
             {"samples_s", {{"warm", {1e-3, 2e-3, 3e-3}}}}}}}};
}

}  // namespace

TEST_CASE("compare: an interval of samples that differ leaves 1 out, of like ones it does not",
          "[bench]") {
  const auto first = around(1e-3, 0.02, 20, 1);
  const TimeRatio slower = ratio_of(first, around(1.1e-3, 0.02, 20, 2));
  CHECK(slower.low > 1.05);
  CHECK(slower.low <= slower.ratio);
  CHECK(slower.ratio <= slower.high);
  CHECK(slower.high < 1.15);
  const TimeRatio faster = ratio_of(first, around(0.5e-3, 0.02, 20, 3));
  CHECK(faster.high < 0.55);
  CHECK(faster.distinguishable());
  CHECK_FALSE(ratio_of(first, around(1e-3, 0.02, 20, 4)).distinguishable());
  CHECK_FALSE(ratio_of(first, first).distinguishable());
  // Where samples scatter more than they differ, nothing is said.
  CHECK_FALSE(ratio_of(around(1e-3, 0.5, 8, 5), around(1.1e-3, 0.5, 8, 6)).distinguishable());
  // The same whenever it is asked.
  CHECK(ratio_of(first, around(1.1e-3, 0.02, 20, 2)).low == slower.low);
}

TEST_CASE("compare: an interval holds the true ratio about as often as it says", "[bench]") {
  int held = 0;
  constexpr int kTrials = 200;
  for (std::uint64_t t = 0; t < kTrials; ++t) {
    const TimeRatio ratio =
        ratio_of(around(1, 0.1, 15, 100 + 2 * t), around(1, 0.1, 15, 101 + 2 * t));
    if (!ratio.distinguishable()) ++held;
  }
  CHECK(held >= kTrials * 95 / 100);
}

TEST_CASE("compare: what is slower beyond its samples' scatter fails, and nothing else",
          "[bench]") {
  const BenchFile old = file_of("old", around(1e-3, 0.02, 20, 1));
  const auto slower_than = [&](double median, double share) {
    return slower_by(compare({old, file_of("new", around(median, 0.02, 20, 2))}), share);
  };
  CHECK(slower_than(1.1e-3, 0.05) == std::vector<std::string>{"relu"});
  CHECK(slower_than(1.1e-3, 0.2).empty());
  CHECK(slower_than(0.5e-3, 0.05).empty());
  CHECK(slower_than(1e-3, 0).empty());
}

TEST_CASE("compare: environments first, then rows, those of one file alone too", "[bench]") {
  BenchFile a = file_of("a.json", {1e-3, 1e-3, 1e-3}), b = file_of("b.json", {2e-3, 2e-3, 2e-3});
  b.environment = {{"cpu", "another"}, {"threads", "2"}};
  a.items.push_back({.key = "add", .name = "add", .how = "tiled", .seconds = {1e-6}});
  b.items.push_back({.key = "mul", .name = "mul", .problem = "no kernel"});
  const Comparison two = compare({a, b});
  REQUIRE(two.environment.size() == 2);
  CHECK(two.environment[0].values == std::vector<std::string>{"any", "another"});
  CHECK(two.environment[1].values == std::vector<std::string>{"-", "2"});
  REQUIRE(two.items.size() == 3);
  CHECK(two.items[1].others[0].note == "not there");
  CHECK(two.items[2].others[0].note == "no kernel");
  const std::string text = comparison_text(two);
  CHECK(text.find("differs: cpu") < text.find("relu"));
  CHECK(text.find("2.000 [2.000, 2.000]  slower") != std::string::npos);
  b.items.push_back({.key = "add", .name = "add", .how = "mma", .seconds = {1e-6}});
  const Comparison three = compare({a, b, a});
  CHECK(three.items[1].others[0].note == "tiled -> mma");
  CHECK_FALSE(three.items[1].others[0].ratio->distinguishable());
  CHECK(comparison_text(three).find("file 3") != std::string::npos);
  const auto json = comparison_json(two);
  CHECK(json["items"][0]["others"][0]["ratio"] == 2.0);
  CHECK(json["items"][0]["others"][0]["verdict"] == "slower");
  CHECK(json["items"][1]["others"][0]["ratio"].is_null());
}

TEST_CASE("compare: files are read as they were written, and others refused by name", "[bench]") {
  const TempFolder folder;
  const auto path = folder.path() / "bench.json";
  const auto read = [&](const nlohmann::json& json) {
    write_file_atomically(path, json.dump());
    return read_bench_file(path);
  };
  const auto problem = [&](const nlohmann::json& json) {
    const std::string error = error_of([&] { read(json); });
    CHECK(error.starts_with(path.string() + ": "));
    return error.substr(std::min(error.size(), path.string().size() + 2));
  };
  nlohmann::json json = results();
  const BenchFile file = read(json);
  REQUIRE(file.items.size() == 2);
  CHECK(file.items[0].seconds == std::vector<double>{2, 3});
  CHECK(file.items[1].seconds == std::vector<double>{1e-3, 2e-3, 3e-3});
  CHECK(file.environment[1].first == "gpu.none");
  json["rows"].push_back(json["rows"][0]);
  const BenchFile twice = read(json);
  CHECK(twice.items[1].key != twice.items[2].key);

  json = results();
  json["format"] = 2;
  CHECK(problem(json) ==
        "found format 2, expected 1; compare files of one version of Glia, or time again");
  json = results();
  json["program"] = "glia bench --ceilings";
  CHECK(problem(json) == "this is no bench.json; give files that glia bench --out FOLDER wrote");
  CHECK(problem(nlohmann::json::array()) ==
        "this is no bench.json; give files that glia bench --out FOLDER wrote");
  json = results();
  json["rows"] = {1};
  CHECK(problem(json) ==
        "'rows' holds 1, expected objects; give a file as glia bench --out wrote it");
  json["rows"] = 3;
  CHECK(problem(json) == "'rows' is no list; give a file as glia bench --out wrote it");
  json = results();
  json["rows"][0]["samples_s"]["warm"][1] = "x";
  CHECK(problem(json).find("a sample is '\"x\"', expected seconds above 0") != std::string::npos);
  json["rows"] = nlohmann::json::array();
  json["steps"] = nlohmann::json::array();
  CHECK(problem(json) == "has neither steps nor rows; time some with glia bench --out");
  write_file_atomically(path, "{");
  CHECK(error_of([&] { read_bench_file(path); }).starts_with(path.string()));
}
