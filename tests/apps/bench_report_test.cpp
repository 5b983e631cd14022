// The report's text, JSON, CSV and picture, from figures that are given.
#include <algorithm>
#include <sstream>

#include "benchmarks/suite/report.h"
#include "benchmarks/suite/roofline_chart.h"
#include "engine/base/file.h"
#include "tests/apps/tiny_unet.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// Every row of a step with the times 1 and 3 ms, a peer that takes twice as long.
bench::Report example(bool with_peer) {
  bench::Report report{.title = "a <machine> & more",
                       .environment = {{"cpu", "any"}},
                       .backends = {"native"},
                       .peaks = {.flops = 100e9, .bytes = 10e9}};
  if (with_peer) report.backends.push_back("peer");
  const auto step = bench::record_training_step(test::kTinyUNet, 2, 16);
  for (const bench::Row& row : bench::distinct_rows(step.calls)) {
    bench::KernelResult result{4, 2, row, {{.backend = "native", .warm = {1e-3, 3e-3, 2e-3}}}};
    result.measurements[0].cold = {4e-3};
    result.measurements[0].checked = true;
    result.measurements[0].accuracy = {.max_error = 1e-6, .relative_error = 2e-7};
    if (with_peer) result.measurements.push_back({.backend = "peer", .warm = {4e-3}});
    report.kernels.push_back(result);
  }
  report.steps.push_back({step,
                          bench::step_floors(step, report.peaks),
                          {{.backend = "native", .mode = "eager", .seconds = {0.5, 0.25, 1}}}});
  return report;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("bench: JSON has a row a kernel and backend with its samples", "[bench]") {
  const bench::Report report = example(true);
  const auto json = bench::to_json(report);
  REQUIRE(json["rows"].size() == 2 * report.kernels.size());
  const auto& row = json["rows"][0];
  CHECK(row["op"] == "conv2d");
  CHECK(row["phase"] == "forward");
  CHECK(row["layer"] == "encoder.0.conv1");
  CHECK(row["C"] == 3);
  CHECK(row["K"] == 4);
  CHECK(row["R"] == 3);
  CHECK(row["pad"] == 1);
  CHECK(row["warm_s"] == 2e-3);
  CHECK(row["samples_s"]["warm"].size() == 3);
  CHECK(row["ratio_to_peer"] == Approx(2));
  CHECK(json["rows"][1]["ratio_to_peer"] == Approx(0.5));
  // 512 pixels x 108 weights x 2 operations; x, w and y of 4 bytes each.
  CHECK(row["flops"] == 110592);
  CHECK(row["bytes"] == 4 * (1536 + 108 + 2048));
  CHECK(row["bound"] == "memory");
  CHECK(row["roofline_share"].get<double>() == Approx(4 * 3692 / 10e9 / 2e-3));
  CHECK(row["deterministic"] == true);
  CHECK(json["steps"][0]["step_s"] == 0.5);
  CHECK(json["steps"][0]["images_per_s"] == 4);
  CHECK(json["steps"][0]["floors"].size() == 4);
  CHECK(json["peaks"]["bytes_per_s"] == 10e9);
}

TEST_CASE("bench: CSV has the same rows, a line each, and quotes what it must", "[bench]") {
  bench::Report report = example(true);
  report.kernels[0].measurements[1] = {.backend = "peer", .problem = "no \"kernel\", sorry"};
  const auto lines = lines_of(bench::to_csv(report));
  REQUIRE(lines.size() == 1 + 2 * report.kernels.size());
  CHECK(lines[0].starts_with("base_width,batch_size,layer,calls,op,phase,kernel,N,H,W,C,K,R,S"));
  const auto columns = std::count(lines[0].begin(), lines[0].end(), ',');
  CHECK(std::count(lines[1].begin(), lines[1].end(), ',') == columns);
  CHECK(std::count(lines[3].begin(), lines[3].end(), ',') == columns);
  CHECK(lines[2].find("\"no \"\"kernel\"\", sorry\"") != std::string::npos);
}

TEST_CASE("bench: the table's lines are as wide as its header", "[bench]") {
  for (const bool with_peer : {false, true}) {
    const bench::Report report = example(with_peer);
    const auto header = lines_of(bench::table_header(report));
    REQUIRE(header.size() == 2);
    CHECK(header[0].size() == header[1].size());
    for (const bench::KernelResult& result : report.kernels) {
      const auto lines = lines_of(bench::table_lines(report, result));
      REQUIRE(lines.size() == (with_peer ? 2 : 1));
      CAPTURE(lines[0]);
      CHECK(lines[0].size() <= header[0].size());
    }
    const std::string first = bench::table_lines(report, report.kernels[0]);
    CHECK(first.find("encoder.0.conv1") == 0);
    CHECK(first.find("2x16x16 3>4 3x3") != std::string::npos);
    CHECK(first.find("2e-07") != std::string::npos);
    CHECK((first.find("2.00x") != std::string::npos) == with_peer);
  }
}

TEST_CASE("bench: the step's text has rate, memory and floors, the total its kernels", "[bench]") {
  bench::Report report = example(false);
  const std::string text = bench::step_text(report.steps[0]);
  CHECK(text.find("0.5 s a step") != std::string::npos);
  CHECK(text.find("4 images/s") != std::string::npos);
  for (const char* name : {"S0 ", "S1 ", "S2 ", "S3 "}) CHECK(text.find(name) != std::string::npos);
  const auto calls = report.steps[0].step.calls.size();
  CHECK(bench::total_text(report, report.steps[0].step) ==
        fmt::format("native: the {} kernels of a step take {:.4g} s together\n", calls,
                    2e-3 * static_cast<double>(calls)));
  CHECK(bench::total_text(bench::Report{}, report.steps[0].step).empty());
}

TEST_CASE("bench: chosen rows are added up and compared, as often as a step calls them",
          "[bench]") {
  bench::Report report = example(true);
  const bench::RecordedStep step = report.steps[0].step;
  // Five calls in two rows: 10 ms, and the peer's 20.
  std::erase_if(report.kernels, [](const bench::KernelResult& result) {
    return result.row.call.kernel != "conv2d_dgrad" || result.row.layers.size() < 2;
  });
  std::size_t calls = 0;
  for (const bench::KernelResult& result : report.kernels) calls += result.row.layers.size();
  REQUIRE(calls > report.kernels.size());
  const auto seconds = static_cast<double>(calls) * 2e-3;
  CHECK(bench::total_text(report, step) ==
        fmt::format("native: {} of the {} kernels of a step take {:.4g} s together\n"
                    "peer: {} of the {} kernels of a step take {:.4g} s together, 2.00 times "
                    "native\n",
                    calls, step.calls.size(), seconds, calls, step.calls.size(), 2 * seconds));
  const auto json = bench::to_json(report)["totals"];
  REQUIRE(json.size() == 2);
  CHECK(json[0]["calls"] == calls);
  CHECK(json[0]["warm_s"].get<double>() == Approx(seconds));
  CHECK(json[1]["implementation"] == "peer");
  CHECK(json[1]["ratio_to_first"].get<double>() == Approx(2));

  report.kernels[0].measurements[1] = {.backend = "peer", .problem = "unsupported: no"};
  const std::string text = bench::total_text(report, step);
  CHECK(text.find(fmt::format("peer: no total, {} of the {} kernels of a step lack {} times\n",
                              calls, step.calls.size(), report.kernels[0].row.layers.size())) !=
        std::string::npos);
  CHECK(bench::to_json(report)["totals"][1]["warm_s"].is_null());
}

TEST_CASE("bench: the roofline has a mark a row, escaped text and both colour schemes", "[bench]") {
  bench::Report report = example(true);
  const std::string svg = bench::roofline_svg(report);
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("a &lt;machine&gt; &amp; more") != std::string::npos);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  // A mark a row and backend, and four in the legend.
  CHECK(count(svg, "class=\"mark ") == 2 * report.kernels.size() + 4);
  CHECK(count(svg, "class=\"label\"") > 5);
  CHECK(svg.find("strong: native, faint: peer") != std::string::npos);
  report.peaks.flops = 0;
  CHECK_THROWS_AS(bench::roofline_svg(report), Error);
}

TEST_CASE("bench: a report is three files in a new folder", "[bench]") {
  const TempFolder folder;
  const auto path = folder.path() / "new" / "bench";
  bench::write_report(example(false), path.string());
  CHECK(nlohmann::ordered_json::parse(read_file(path / "bench.json"))["format"] == 1);
  CHECK(read_file(path / "bench.csv").starts_with("base_width,"));
  CHECK(read_file(path / "roofline.svg").starts_with("<svg "));
  write_file_atomically(folder.path() / "file", "in the way");
  CHECK_THROWS_AS(bench::write_report(example(false), (folder.path() / "file").string()), Error);
}
