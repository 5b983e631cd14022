// The GPU kit's own machinery: programs with time limits, programs that answer, results that are
// whole after every step, tables. What the steps find is rehearsed by benchmarks/gpu_kit/rehearse.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "apps/study/conversation.h"
#include "benchmarks/gpu_kit/program.h"
#include "benchmarks/gpu_kit/report.h"
#include "benchmarks/gpu_kit/results.h"
#include "benchmarks/gpu_kit/run.h"
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

/// What `pack` would make, with a shell script for each program: on a machine without a GPU.
std::filesystem::path fake_kit(const TempFolder& temp) {
  const std::filesystem::path kit = temp.path() / "kit";
  for (const char* folder : {"bin", "peer"}) std::filesystem::create_directories(kit / folder);
  for (const char* name : {"peer/peer.py", "peer/load_weights.py", "golden.json", "small-cases.txt",
                           "bin/gpu-kit", "bin/ops_tests"})
    write_file_atomically(kit / name, "#!/bin/sh\n");
  write_file_atomically(kit / "kit.json", R"({"date": "2020-01-02", "commit": "c"})");
  write_file_atomically(kit / "bin/glia",
                        "#!/bin/sh\n[ \"$1\" = --version ] || { echo 'glia: no GPU'; exit 1; }\n");
  for (const auto& program : std::filesystem::directory_iterator(kit / "bin"))
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  return kit;
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

TEST_CASE("gpu kit: a conversation answers, and its end is an error of one question", "[bench]") {
  const TempFolder temp;
  Conversation echo({"sh", "-c", "read a; echo \"$a\"; echo note >&2; read b; sleep 60"}, "echo",
                    temp.path() / "log");
  CHECK(echo.ask({{"do", "it"}}, in(10)).at("do") == "it");
  CHECK_THROWS_WITH(echo.ask({{"do", "more"}}, in(0.2)), ContainsSubstring("no answer in time"));
  CHECK(read_file(temp.path() / "log") == "note\n");
  CHECK_FALSE(echo.running());
  CHECK(echo.ask({{"do", "again"}}, in(10)).at("do") == "again");
  Conversation ended({"true"}, "true", temp.path() / "log");
  CHECK_THROWS_WITH(ended.ask({{"do", "it"}}, in(10)),
                    ContainsSubstring("true ended with exit status 0"));
  Conversation killed({"sh", "-c", "kill -9 $$"}, "sh", temp.path() / "log");
  CHECK_THROWS_WITH(killed.ask({{"do", "it"}}, in(10)),
                    ContainsSubstring("sh ended by signal 9 (Killed)"));
  Conversation missing({"/no/such"}, "it", temp.path() / "log");
  CHECK_THROWS_WITH(missing.ask({{"do", "it"}}, in(10)),
                    ContainsSubstring("it cannot be started: no program /no/such"));
}

TEST_CASE("gpu kit: ceilings and checks have a table each", "[bench]") {
  const Json results = parse_json<Json>(R"({"steps": [
      {"name": "ceilings", "result": {"ceilings": [
          {"device": "cuda:0", "what": "copy", "by": "our kernel", "unit": "byte/s", "best": 4e12},
          {"device": "cuda:0", "what": "bf16", "by": "cuBLAS", "unit": "flop/s", "best": null,
           "problem": "no libcublas"}]}},
      {"name": "outputs", "result": {
          "golden": {"instructions": {"mma": "other bits"}, "operations": {"relu y": 0.5},
                     "operations_with_the_same_bits": "1 of 2", "largest_difference": 0.5,
                     "same": false},
          "cuda": {"passed": true, "said": "All tests passed"}}},
      {"name": "training", "result": {"recorded_equals_eager": true, "torch": "skipped: none"}},
      {"name": "checkers"}]})",
                                        "results");
  const auto ceilings = kit::ceilings_table(results.at("steps").at(0).at("result")).rows;
  REQUIRE(ceilings.size() == 2);
  CHECK(ceilings[0][3] + " " + ceilings[0][4] == "4000.0 GB/s");
  CHECK(ceilings[1][3] + " " + ceilings[1][4] == "- no libcublas");
  const auto checks = kit::checks_table(results).rows;
  REQUIRE(checks.size() == 4);
  CHECK(checks[0][1] ==
        "same: no, operations with the same bits: 1 of 2, largest difference 5.0e-01; "
        "mma: other bits; relu y: 0.5");
  CHECK(checks[1] == std::vector<std::string>{"outputs, cuda", "All tests passed"});
  CHECK(checks[2][1] == "yes");
  CHECK(checks[3][1] == "-");
}

TEST_CASE("gpu kit: a program that does not heed SIGTERM is killed", "[bench]") {
  const TempFolder temp;
  const auto start = std::chrono::steady_clock::now();
  {
    Conversation stubborn({"sh", "-c", "trap '' TERM; read a; echo \"$a\"; sleep 60"}, "stubborn",
                          temp.path() / "log");
    CHECK(stubborn.ask({{"do", "it"}}, in(10)).at("do") == "it");
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

TEST_CASE("gpu kit: a run leaves its results and nothing else, and keeps those of another",
          "[bench]") {
  const TempFolder temp;
  const auto out = temp.path() / "out";
  const kit::RunOptions options{
      .kit = fake_kit(temp).string(), .out = out.string(), .only = {"steps", "training"}};
  kit::run_kit(options);
  std::vector<std::string> left;
  for (const auto& file : std::filesystem::directory_iterator(out))
    left.push_back(file.path().filename().string());
  std::sort(left.begin(), left.end());
  CHECK(left == std::vector<std::string>{"log.txt", "results.json"});
  const std::string text = read_file(out / kit::kResultsFile);
  const Json results = parse_json<Json>(text, "results");
  CHECK(results.at("steps").size() == 2);
  CHECK(results.at("steps").at(1).at("reason") == "no GPU");
  CHECK(results.at("kit").at("run_on") > "2020-01-02");
  CHECK_THROWS_WITH(kit::run_kit(options), ContainsSubstring("choose another folder"));
  CHECK(read_file(out / kit::kResultsFile) == text);
}

TEST_CASE("gpu kit: a kit that is not whole is refused before its first step", "[bench]") {
  const TempFolder temp;
  const auto folder = fake_kit(temp), out = temp.path() / "out";
  const kit::RunOptions options{.kit = folder.string(), .out = out.string()};
  write_file_atomically(folder / "bin/glia", "#!/bin/sh\necho broken >&2\nexit 3\n");
  std::filesystem::permissions(folder / "bin/glia", std::filesystem::perms::owner_all);
  CHECK_THROWS_WITH(kit::run_kit(options),
                    ContainsSubstring("bin/glia does not start here (exit status 3: broken)"));
  std::filesystem::remove(folder / "golden.json");
  CHECK_THROWS_WITH(kit::run_kit(options), ContainsSubstring("found no golden.json"));
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("gpu kit: a report is kept under the day of its run, and no other is lost for it",
          "[bench]") {
  const TempFolder temp;
  const auto write = [&](const char* commit) {
    write_file_atomically(
        temp.path() / kit::kResultsFile,
        fmt::format(R"({{"kit": {{"date": "2020-01-02", "run_on": "2020-01-03", "commit": "{}",
                        "emulator": true}}, "steps": []}})",
                    commit));
  };
  const auto report = [&] { kit::report(temp.path().string(), temp.path().string()); };
  const auto kept = temp.path() / "2020-01-03-gpu-kit-emulator.json";
  write("first");
  report();
  report();
  CHECK(read_file(kept) == read_file(temp.path() / kit::kResultsFile));
  write("second");
  CHECK_THROWS_WITH(report(), ContainsSubstring("holds another run"));
  CHECK(read_file(kept).find("first") != std::string::npos);
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
  const auto tables = kit::ladder_tables(timing, "step");
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].name == "Base width 2, batch 6, 16x16");
  const auto& rows = tables[0].table.rows;
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == std::vector<std::string>{"torch bf16", "100.00", "60.0", "1.00", "10 %", "0"});
  CHECK(rows[1] == std::vector<std::string>{"native eager", "200.00", "30.0", "2.00", "25 %", "2"});
  CHECK(rows[2][0] == "torch fp32");
  CHECK(rows[3] ==
        std::vector<std::string>{"cudnn eager", "unsupported: no engine", "", "", "", ""});
  CHECK(tables[0].table.head[0] == "step");
  CHECK(kit::ladder_tables(timing, "inference")[0].table.head[0] == "inference");
  const std::string text = kit::text_of(tables[0].table);
  CHECK(text.find("torch bf16") < text.find("native eager"));
}

}  // namespace glia::test
