// The GPU kit's own machinery: programs with time limits, programs that answer, results that are
// whole after every step, tables. What the steps find is rehearsed by benchmarks/gpu_kit/rehearse.
#include <fstream>

#include "benchmarks/gpu_kit/conversation.h"
#include "benchmarks/gpu_kit/program.h"
#include "benchmarks/gpu_kit/results.h"
#include "benchmarks/gpu_kit/tables.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

namespace glia::test {

namespace {

using Json = nlohmann::ordered_json;

kit::Deadline in(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(kit::Seconds(seconds));
}

}  // namespace

TEST_CASE("gpu kit: a program ends, fails, is missing, or is stopped with all that it started",
          "[bench]") {
  const TempFolder temp;
  const auto run = [&](const kit::Command& command, double seconds) {
    return kit::run(command, in(seconds), temp.path());
  };
  const kit::Ran good = run({"sh", "-c", "echo one; echo two >&2"}, 10);
  CHECK(good.good());
  CHECK(good.output == "one\ntwo\n");
  CHECK(run({"sh", "-c", "echo why; exit 3"}, 10).problem() == "exit status 3: why");
  CHECK(run({"no-such-program"}, 10).problem() == "no such program");
  const kit::Ran slow = run({"sh", "-c", "echo begun; sleep 60 & sleep 60"}, 0.3);
  CHECK(slow.stopped);
  CHECK(slow.output == "begun\n");
  CHECK(slow.problem() == "stopped at its time limit");
  CHECK(slow.seconds < 30);
  CHECK(std::filesystem::is_empty(temp.path()));
}

TEST_CASE("gpu kit: a conversation answers, and its end is an error of the next question",
          "[bench]") {
  const TempFolder temp;
  kit::Conversation echo({"sh", "-c", "read a; echo \"$a\"; echo note >&2; read b; sleep 60"},
                         temp.path() / "log");
  CHECK(echo.ask({{"do", "it"}}, in(10)).at("do") == "it");
  CHECK_THROWS_WITH(echo.ask({{"do", "more"}}, in(0.2)), ContainsSubstring("no answer in time"));
  CHECK(read_file(temp.path() / "log") == "note\n");
  kit::Conversation ended({"true"}, temp.path() / "log");
  CHECK_THROWS_WITH(ended.ask({{"do", "it"}}, in(10)), ContainsSubstring("ended"));
}

TEST_CASE("gpu kit: results are whole after every step", "[bench]") {
  const TempFolder temp;
  const auto now = [&] {
    return parse_json<Json>(read_file(temp.path() / kit::kResultsFile), "results");
  };
  kit::Results results(temp.path(), {{"commit", "c"}});
  CHECK(now().at("steps").empty());
  results.add({{"name", "machine"}, {"status", "done"}, {"reason", ""}, {"result", {{"a", 1}}}});
  CHECK(now().at("steps").size() == 1);
  results.add({{"name", "steps"}, {"status", "skipped"}, {"reason", "no GPU"}});
  CHECK(now().at("steps").at(1).at("reason") == "no GPU");
  REQUIRE(results.find("machine") != nullptr);
  CHECK(results.find("machine")->at("a") == 1);
  CHECK(results.find("steps") == nullptr);
}

TEST_CASE("gpu kit: the ladder has the fastest first, beside PyTorch's best and the floor",
          "[bench]") {
  const Json timing = parse_json<Json>(R"({"cases": [{"base_width": 2, "batch_size": 6, "size": 16,
      "seconds": {"native eager": [0.3, 0.1, 0.2], "torch fp32": [0.5, 0.5, 0.5],
                  "torch bf16": [0.1, 0.1, 0.1]},
      "peak_bytes": {"native eager": 2097152, "torch fp32": 0, "torch bf16": 0},
      "problems": {"cudnn eager": "unsupported: no engine"},
      "floors": [{"name": "S0", "seconds": 0.05}],
      "floors_bf16": [{"name": "S0", "seconds": 0.01}]}]})",
                                       "timing");
  const auto tables = kit::ladder_tables(timing);
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].name == "Base width 2, batch 6, 16x16");
  const auto& rows = tables[0].table.rows;
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == std::vector<std::string>{"torch bf16", "100.00", "60.0", "1.00", "10 %", "0"});
  CHECK(rows[1] == std::vector<std::string>{"native eager", "200.00", "30.0", "2.00", "25 %", "2"});
  CHECK(rows[2][0] == "torch fp32");
  CHECK(rows[3] ==
        std::vector<std::string>{"cudnn eager", "unsupported: no engine", "", "", "", ""});
  const std::string text = kit::text_of(tables[0].table);
  CHECK(text.find("torch bf16") < text.find("native eager"));
}

}  // namespace glia::test
