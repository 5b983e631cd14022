// Whole training steps, and inferences, ours and others, in turn.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "apps/study/conversation.h"
#include "benchmarks/gpu_kit/steps.h"
#include "engine/runtime/open_device.h"
#include "engine/runtime/precisions.h"

namespace glia::kit {

namespace {

constexpr int kRounds = 3;
constexpr auto kMostOfOne = std::chrono::seconds(30);  // of a contender that hangs

/// A network and a batch.
struct Case {
  int base_width, batch_size, size;
};
constexpr Case kCases[] = {{64, 12, 240}, {64, 64, 240}, {32, 6, 240}};
constexpr Case kInferenceCases[] = {{64, 1, 240}, {64, 64, 240}};  // latency, throughput
constexpr Case kTinyCases[] = {{2, 2, 16}};

/// What is asked of a program, on which cases, how often in a visit.
struct Work {
  const char* question;
  std::span<const Case> cases;
  int steps;
  bool floors;
};

/// One that is timed: which program, and what to ask of it.
struct Contender {
  std::string name;
  bool torch = false, compiled = false;
  nlohmann::json question = {};
};

/// Those of the backend, in the order of their names' definition. One that this build lacks is
/// asked for in fp32, which ends with the reason.
std::vector<ConvPrecision> precisions_of_backend(const std::string& name) {
  std::vector<ConvPrecision> able{ConvPrecision::fp32};
  for (const BuiltBackend& built : built_backends())
    if (built.name == (name == "native" ? "cuda" : name)) able = precisions_of(*built.kernels);
  std::sort(able.begin(), able.end());
  return able;
}

std::vector<Contender> ours(const Bench& bench) {
  std::vector<Contender> found;
  std::vector<std::string> backends{bench.native()};
  if (!bench.emulator) backends.emplace_back("cudnn");
  for (const std::string& backend : backends)
    for (const ConvPrecision precision : precisions_of_backend(backend))
      for (const bool captured : {false, true})
        found.push_back({.name = fmt::format("{} {} {}", backend, name_of(precision),
                                             captured ? "captured" : "eager"),
                         .question = {{"device", bench.device()},
                                      {"backend", backend},
                                      {"precision", name_of(precision)},
                                      {"captured", captured}}});
  // What each fusion gains, in the last of ours: all but these fuse all that they can.
  const auto last = std::find_if(found.rbegin(), found.rend(), [&](const Contender& contender) {
    return contender.question["backend"] == bench.native();
  });
  const Contender all = *last;
  for (const Fuse fuse : {Fuse::none, Fuse::s1}) {
    Contender less = all;
    less.name += fmt::format(" fuse {}", name_of(fuse));
    less.question["fuse"] = name_of(fuse);
    found.push_back(std::move(less));
  }
  return found;
}

std::vector<Contender> torch(const Bench& bench) {
  std::vector<Contender> found;
  const auto add = [&](const char* precision, bool channels_last, bool graph, bool compiled) {
    found.push_back(
        {.name = fmt::format("torch {}{}{}{}", precision, channels_last ? " channels-last" : "",
                             graph ? " graph" : "", compiled ? " compiled" : ""),
         .torch = true,
         .compiled = compiled,
         .question = {{"device", bench.device()},
                      {"precision", precision},
                      {"channels_last", channels_last},
                      {"graph", graph},
                      {"compile", compiled}}});
  };
  if (bench.emulator) {
    add("fp32", false, false, false);
    return found;
  }
  for (const char* precision : {"fp32", "tf32", "bf16"}) {
    add(precision, false, false, false);
    add(precision, true, false, false);
    add(precision, true, true, false);
  }
  // It takes longest to start.
  add("bf16", true, true, true);
  return found;
}

/// The answer to a question; of a program that ends or hangs, why there is none, as it says itself
/// of what it cannot do. The next question starts it anew, so that the others are timed all the
/// same. Throws `Error` when the step's time is over.
nlohmann::json ask(const Contender& contender, Conversation& program,
                   const nlohmann::json& question, Deadline deadline) {
  const Deadline until = contender.compiled ? deadline : std::min(deadline, after(kMostOfOne));
  nlohmann::json answer;
  try {
    answer = program.ask(question, until);
  } catch (const Error& error) {
    if (std::chrono::steady_clock::now() >= deadline) throw;
    answer = {{"problem", error.what()}};
  }
  // After some errors of a GPU a process cannot use it any more. PyTorch takes long to start.
  if (answer.contains("problem") && (!contender.torch || !program.running())) program.stop();
  return answer;
}

/// Those of PyTorch only where it can be imported, else `result` says why not.
std::vector<Contender> contenders(const Bench& bench, std::optional<Conversation>& peer,
                                  Deadline deadline, StepResult& result) {
  std::vector<Contender> all = ours(bench);
  const std::string python = bench.python();
  if (python.empty()) {
    result["torch"] = kNoTorch;
    return all;
  }
  peer.emplace(Command{python, (bench.kit / "peer" / "peer.py").string()}, python, bench.log());
  try {
    const nlohmann::json hello = peer->ask({{"do", "hello"}}, deadline);
    result["torch"] = hello;
    if (hello.contains("problem")) return all;
  } catch (const Error& error) {
    result["torch"] = fmt::format("skipped: {}", error.what());
    return all;
  }
  for (Contender& contender : torch(bench)) all.push_back(std::move(contender));
  return all;
}

/// The rate of a peak that the step `ceilings` measured; 0 where it did not.
double peak(const Bench& bench, const char* name) {
  const StepResult* ceilings = bench.results->find("ceilings");
  if (!ceilings || !ceilings->contains("peaks") || ceilings->at("peaks").empty()) return 0;
  const StepResult& first = ceilings->at("peaks").front();
  return first.contains(name) && first.at(name).is_number() ? first.at(name).get<double>() : 0;
}

/// Floors of each case in fp32 and, by the matrix units, in tf32 and bf16, where their rate is
/// known.
void add_floors(const Bench& bench, Conversation& worker, Deadline deadline, StepResult& table) {
  const double bytes = peak(bench, "bytes_per_s");
  for (StepResult& row : table)
    for (const auto& [key, rate] :
         {std::pair("floors", "flops_per_s"), std::pair("floors_tf32", "tf32_flops_per_s"),
          std::pair("floors_bf16", "bf16_flops_per_s")}) {
      const double flops = peak(bench, rate);
      if (bytes == 0 || flops == 0) continue;
      const nlohmann::json answer =
          worker.ask({{"do", "floors"},
                      {"base_width", row["base_width"].get<int>()},
                      {"batch_size", row["batch_size"].get<int>()},
                      {"size", row["size"].get<int>()},
                      {"flops_per_s", flops},
                      // A model of fp32 storage: half the bytes where activations are bf16.
                      {"bytes_per_s", key == std::string_view("floors_bf16") ? 2 * bytes : bytes}},
                     deadline);
      if (answer.contains("floors")) row[key] = answer["floors"];
    }
}

void time_work(const Bench& bench, const Work& work, Deadline deadline, StepResult& result) {
  bench.need_gpu();
  Conversation worker({bench.program("gpu-kit"), "worker"}, "gpu-kit", bench.log());
  std::optional<Conversation> peer;
  const std::vector<Contender> all = contenders(bench, peer, deadline, result);
  const std::span<const Case> cases =
      bench.emulator ? std::span<const Case>(kTinyCases) : work.cases;
  StepResult& table = result["cases"] = StepResult::array();
  for (const Case& c : cases)
    table.push_back({{"base_width", c.base_width},
                     {"batch_size", c.batch_size},
                     {"size", c.size},
                     {"seconds", StepResult::object()},
                     {"peak_bytes", StepResult::object()},
                     {"problems", StepResult::object()}});
  const auto visit = [&](const Contender& contender, std::size_t i) {
    StepResult& row = table[i];
    if (row["problems"].contains(contender.name)) return;
    nlohmann::json question = contender.question;
    question.update({{"do", work.question},
                     {"base_width", cases[i].base_width},
                     {"batch_size", cases[i].batch_size},
                     {"size", cases[i].size},
                     {"warmup", 3},
                     {"steps", bench.emulator ? 1 : work.steps}});
    const nlohmann::json answer =
        ask(contender, contender.torch ? *peer : worker, question, deadline);
    if (answer.contains("problem")) {
      row["problems"][contender.name] = answer["problem"];
      return;
    }
    for (const nlohmann::json& s : answer["seconds"])
      row["seconds"][contender.name].push_back(s.get<double>());
    row["peak_bytes"][contender.name] = answer["peak_bytes"];
  };
  if (work.floors) add_floors(bench, worker, deadline, table);
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < cases.size(); ++i)
      for (std::size_t k = 0; k < all.size(); ++k) {
        // The other way round every second time, so that none always follows the same neighbour.
        const Contender& contender = all[round % 2 == 0 ? k : all.size() - 1 - k];
        if (!contender.compiled) visit(contender, i);
      }
  for (const Contender& contender : all)
    if (contender.compiled)
      for (std::size_t i = 0; i < cases.size(); ++i) visit(contender, i);
}

}  // namespace

void time_steps(const Bench& bench, Deadline deadline, StepResult& result) {
  time_work(bench, {.question = "step", .cases = kCases, .steps = 5, .floors = true}, deadline,
            result);
}

void time_inference(const Bench& bench, Deadline deadline, StepResult& result) {
  time_work(bench, {.question = "infer", .cases = kInferenceCases, .steps = 20, .floors = false},
            deadline, result);
}

}  // namespace glia::kit
