// Every kernel of a step beside NVIDIA's, and a closer look at those that take longest.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "benchmarks/gpu_kit/steps.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia::kit {

namespace {

constexpr std::size_t kProfiled = 5;
constexpr auto kTimeToWrite = std::chrono::seconds(5);  // and to end the row that runs

/// The rows of our kernels, the longest first.
std::vector<StepResult> longest(const StepResult& report, const std::string& backend) {
  std::vector<StepResult> rows;
  for (const StepResult& row : report.at("rows"))
    if (row.at("implementation").get<std::string>() == backend && row.at("warm_s").is_number())
      rows.push_back(row);
  std::stable_sort(rows.begin(), rows.end(), [](const StepResult& a, const StepResult& b) {
    return a.at("warm_s").get<double>() > b.at("warm_s").get<double>();
  });
  return rows;
}

/// The flags with which glia bench runs this row alone.
Command flags_of(const StepResult& row) {
  const auto extent = [&](const char* name) { return row.at(name).dump(); };
  Command flags{"--op",    row.at("op").get<std::string>(),
                "--phase", row.at("phase").get<std::string>(),
                "--shape", extent("N") + "x" + extent("H") + "x" + extent("W") + "x" + extent("C")};
  if (row.at("op").get<std::string>().starts_with("conv"))
    flags.insert(flags.end(), {"--kernel", extent("R") + "x" + extent("S") + "x" + extent("K"),
                               "--stride", extent("stride"), "--padding", extent("pad")});
  return flags;
}

}  // namespace

void time_rows(const Bench& bench, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  const std::filesystem::path folder = bench.scratch / "rows";
  Command command{bench.program("glia"), "bench",      "--device", bench.device(), "--out",
                  folder.string(),       "--overwrite"};
  if (bench.emulator)
    command.insert(
        command.end(),
        {"--backend",   "emu", "--base-width", "2",      "--depth",   "1", "--batch-size",  "1",
         "--size",      "16",  "--op",         "conv2d", "--samples", "1", "--row-seconds", "0",
         "--flush-mib", "1",   "--copy-mib",   "1"});
  else
    command.insert(command.end(), {"--backend", "native,cudnn", "--base-width", "64",
                                   "--batch-size", "12", "--row-seconds", "0.4",
                                   // All of them: rows alone, since whole steps have been timed.
                                   "--phase", "forward,backward,dgrad,wgrad,update"});
  // Asked to end, it writes what it has.
  const Ran ran = bench.try_it(command, deadline - kTimeToWrite, kTimeToWrite);
  std::error_code none;
  const std::filesystem::path file = folder / "bench.json";
  if (std::filesystem::exists(file, none))
    result = parse_json<StepResult>(read_file(file), file.string());
  if (const auto chart = folder / "roofline.svg"; std::filesystem::exists(chart, none))
    result["roofline_svg"] = read_file(chart);
  glia::check(ran.good(), "glia bench: {}", ran.problem());
}

void profile_kernels(const Bench& bench, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  const StepResult* rows = bench.results->find("rows");
  if (!rows || !rows->contains("rows")) throw Skip("the step 'rows' found no longest kernels");
  const std::string ncu = bench.emulator ? std::string() : bench.need("ncu");
  std::vector<StepResult> chosen = longest(*rows, bench.native());
  if (chosen.empty()) throw Skip("the step 'rows' timed no kernel of ours");
  chosen.resize(std::min(chosen.size(), bench.emulator ? 1 : kProfiled));
  auto left = static_cast<int>(chosen.size());
  std::string problem;  // of one is none of the others'
  for (const StepResult& row : chosen) {
    Command command;
    if (bench.emulator)
      command = {"env", "GLIA_EMU_PROFILE=1"};
    else  // the clocks stay as they are
      command = {ncu, "--clock-control", "none", "--set", "detailed", "--launch-count", "4"};
    command.insert(command.end(), {bench.program("glia"), "bench", "--device", bench.device(),
                                   "--backend", bench.native(), "--profile-once"});
    const Command flags = flags_of(row);
    command.insert(command.end(), flags.begin(), flags.end());
    const Ran ran = bench.try_it(command, share(deadline, left--));
    const std::string name =
        row.at("layer").get<std::string>() + " " + row.at("kernel").get<std::string>();
    result[name] = ran.output;
    if (!ran.good() && problem.empty()) problem = name + ": " + ran.problem();
  }
  glia::check(problem.empty(), "{}", problem);
}

}  // namespace glia::kit
