#include "apps/kernel/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <sstream>

namespace glia {

namespace {

constexpr std::size_t kShown = 3;

struct Counted {
  std::size_t judged = 0, wrong = 0, declined = 0, not_judged = 0;
};

Counted count(const std::vector<CaseResult>& cases) {
  Counted n;
  for (const CaseResult& result : cases) {
    if (!result.declined.empty())
      ++n.declined;
    else if (result.not_judged)
      ++n.not_judged;
    else
      ++n.judged, n.wrong += !result.failures.empty();
  }
  return n;
}

bool counts(const CaseResult& result) {
  return result.declined.empty() && !result.not_judged;
}

/// Whether `test` holds for the cases that fail and for no other.
bool tells_apart(const std::vector<CaseResult>& cases,
                 const std::function<bool(const CaseResult&)>& test) {
  return std::all_of(cases.begin(), cases.end(), [&](const CaseResult& result) {
    return !counts(result) || test(result) == !result.failures.empty();
  });
}

std::int64_t extent(const CaseResult& result, const std::string& name) {
  const auto found = result.shape.find(name);
  return found == result.shape.end() ? 0 : found->second;
}

/// "every case with C above 32" where all failures lie on one side of an extent.
std::string by_extent(const std::vector<CaseResult>& cases, const std::string& name) {
  std::int64_t right_least = std::numeric_limits<std::int64_t>::max(), right_most = 0;
  for (const CaseResult& result : cases)
    if (counts(result) && result.failures.empty()) {
      right_least = std::min(right_least, extent(result, name));
      right_most = std::max(right_most, extent(result, name));
    }
  if (right_most == 0) return "";
  if (tells_apart(cases, [&](const CaseResult& r) { return extent(r, name) > right_most; }))
    return fmt::format("every case with {} above {}, and no other", name, right_most);
  if (tells_apart(cases, [&](const CaseResult& r) { return extent(r, name) < right_least; }))
    return fmt::format("every case with {} below {}, and no other", name, right_least);
  return "";
}

/// Whether every failure is of one of these checks (benchmarks/judge/examine.h).
bool only_in(const std::vector<CaseResult>& cases, const std::vector<std::string>& checks) {
  for (const CaseResult& result : cases)
    for (const std::string& failure : result.failures)
      if (counts(result) && std::none_of(checks.begin(), checks.end(), [&](const auto& name) {
            return failure.starts_with(name);
          }))
        return false;
  return true;
}

/// A failure of one line, or of a report of the emulator's the first problem.
std::string first_problem(const std::string& failure) {
  std::istringstream lines(failure);
  std::string first, second;
  std::getline(lines, first);
  std::size_t more = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  repeat with")) continue;
    if (second.empty())
      second = line;
    else
      ++more;
  }
  if (second.empty()) return first;
  return fmt::format("{}\n    {}{}", first, second,
                     more > 0 ? fmt::format("\n      and {} more reports", more) : "");
}

std::string failures_text(const std::vector<CaseResult>& cases, std::size_t most) {
  std::string text;
  std::size_t wrong = 0;
  for (const CaseResult& result : cases) {
    if (!counts(result) || result.failures.empty() || ++wrong > most) continue;
    text += fmt::format("    {}  {}\n      {}\n", result.name, result.text,
                        first_problem(result.failures.front()));
  }
  if (wrong > most) text += fmt::format("    and {} more cases\n", wrong - most);
  return text;
}

std::string results_text(const JudgeRun& run) {
  const Counted n = count(run.cases);
  std::string text =
      fmt::format("  results        {} of {} cases right", n.judged - n.wrong, n.judged);
  const CaseResult* nearest = nullptr;  // to its bound, of those that are right
  for (const CaseResult& result : run.cases)
    if (counts(result) && result.failures.empty() && (!nearest || result.share > nearest->share))
      nearest = &result;
  if (nearest)
    text += fmt::format(", at most {:.2f} of a bound ({})", nearest->share, nearest->name);
  text += "\n";
  if (const std::string common = in_common(run.cases); !common.empty())
    text += fmt::format("    {}\n", common);
  text += failures_text(run.cases, kShown);
  std::set<std::string> reasons;
  for (const CaseResult& result : run.cases)
    if (!result.declined.empty()) reasons.insert(result.declined);
  if (n.declined > 0)
    text += fmt::format("    {} cases left out: {}\n", n.declined, fmt::join(reasons, "; "));
  if (n.not_judged > 0)
    text += fmt::format(
        "    {} cases not judged: our own kernels miss their bounds in this arithmetic\n",
        n.not_judged);
  if (!run.other_groups.empty())
    text +=
        fmt::format("    not judged in this arithmetic: {}\n", fmt::join(run.other_groups, ", "));
  return text;
}

/// Whose kernels ran, and how often Glia's did.
std::string kernels_text(const JudgeRun& run) {
  const auto cases_of_glia =
      std::count_if(run.cases.begin(), run.cases.end(), [&](const CaseResult& result) {
        return std::any_of(result.launched.begin(), result.launched.end(), [&](std::size_t i) {
          return i < run.kernels.size() && run.kernels[i].of_glia;
        });
      });
  std::set<std::string> own, of_glia;
  for (const LaunchedKernel& kernel : run.kernels) {
    const std::string file = kernel.place.substr(kernel.place.rfind('/') + 1);
    (kernel.of_glia ? of_glia : own)
        .insert(fmt::format("{} ({})", kernel.name, kernel.of_glia ? kernel.place : file));
  }
  std::string text;
  if (!own.empty()) text += fmt::format("  kernels        {}\n", fmt::join(own, ", "));
  if (!of_glia.empty())
    text += fmt::format("  Glia's own     {}, in {} of {} cases: what is judged there is ours\n",
                        fmt::join(of_glia, ", "), cases_of_glia, run.cases.size());
  if (run.kernels.empty() && !run.cases.empty() && run.problem.empty())
    text += "  kernels        none was launched: what ran is host code, which no GPU runs\n";
  return text;
}

std::string race_text(const JudgeRun& run) {
  const Counted n = count(run.cases);
  std::string text =
      fmt::format("  race checker   {} of {} cases without a report", n.judged - n.wrong, n.judged);
  if (run.left > 0) text += fmt::format(", {} larger ones not run", run.left);
  return text + "\n" + failures_text(run.cases, 1);
}

/// A line of the profile: "place counted instructions count ideal ratio".
struct Profiled {
  std::string place;
  bool shared = false;
  double count = 0, ideal = 0;
};

std::vector<Profiled> profile_of(const std::string& table, const std::string& file) {
  std::vector<Profiled> lines;
  std::istringstream text(table);
  const std::string base = file.substr(file.rfind('/') + 1);
  for (std::string line; std::getline(text, line);) {
    const bool shared = line.find("shared wavefronts") != std::string::npos;
    const std::size_t at = shared ? line.find("shared wavefronts") : line.find("32-byte sectors");
    if (at == std::string::npos || line.find(base + ":") == std::string::npos) continue;
    std::istringstream numbers(line.substr(at + (shared ? 17 : 15)));
    double instructions = 0;
    Profiled found{.place = line.substr(0, line.find(' ')), .shared = shared};
    numbers >> instructions >> found.count >> found.ideal;
    found.place = found.place.substr(found.place.rfind('/') + 1);
    lines.push_back(found);
  }
  return lines;
}

std::string profile_text(const std::vector<Profiled>& lines, bool shared) {
  double count = 0, ideal = 0;
  const Profiled* worst = nullptr;
  for (const Profiled& line : lines) {
    if (line.shared != shared) continue;
    count += line.count, ideal += line.ideal;
    if (!worst || line.count - line.ideal > worst->count - worst->ideal) worst = &line;
  }
  if (!worst) return shared ? "  shared memory  not used\n" : "";
  const bool waste = worst->count > worst->ideal;
  std::string text =
      shared
          ? fmt::format("  shared memory  {}",
                        waste ? fmt::format("{:.2f} wavefronts where one would do", count / ideal)
                              : "no bank conflicts")
          : fmt::format("  device memory  {:.2f} MB touched, {:.2f} times the least", 32e-6 * count,
                        count / ideal);
  if (waste) text += fmt::format("; most at {}, {:.2f}", worst->place, worst->count / worst->ideal);
  return text + "\n";
}

}  // namespace

bool Verdict::right() const {
  const Counted by_results = count(results.cases), by_race = count(race.cases);
  return by_results.judged > 0 && !none_of_its_own() && by_results.wrong == 0 &&
         by_race.wrong == 0 && results.problem.empty() && race.problem.empty();
}

bool Verdict::none_of_its_own() const {
  // A run that did not finish says nothing of whose they are.
  return results.problem.empty() && !results.cases.empty() &&
         std::all_of(results.kernels.begin(), results.kernels.end(),
                     [](const LaunchedKernel& launched) { return launched.of_glia; });
}

std::string in_common(const std::vector<CaseResult>& cases) {
  const Counted n = count(cases);
  if (n.wrong == 0 || n.wrong == n.judged) return "";
  if (only_in(cases, {"slices", "aligned slices"}))
    return "dense tensors are right, channel slices are not: element (row, channel) lies at row * "
           "pitch + channel";
  if (only_in(cases, {"accumulate"}))
    return "right where the result overwrites, wrong where it is added (a.write)";
  // Tried where inputs are small, so that extents would tell them apart as well.
  if (only_in(cases, {"a NaN in "}))
    return "right but for NaN, which a result that depends on one must be too: a value that is "
           "compared, as in x > 0 ? x : 0, swallows it";
  if (tells_apart(cases, [](const CaseResult& r) { return extent(r, "H") != extent(r, "W"); }))
    return "every case with H other than W, and no other";
  for (const char* name : {"stride", "N", "C", "K", "R", "S", "H", "W"})
    if (std::string found = by_extent(cases, name); !found.empty()) return found;
  return "";
}

std::string text_of(const Verdict& verdict) {
  const Counted race = count(verdict.race.cases), results = count(verdict.results.cases);
  std::string judgement = results.judged == 0 ? "no case ran it" : "right";
  if (results.wrong > 0) judgement = "wrong results";
  if (results.judged > 0 && verdict.none_of_its_own())
    judgement = (verdict.results.kernels.empty() ? "no kernel was launched, "
                                                 : "only Glia's own kernels ran, ") +
                judgement;
  if (race.wrong > 0) judgement += results.wrong > 0 ? ", and reports" : ", but with reports";
  std::string text = fmt::format("{} by {}: {} ({:.1f} s)\n", verdict.kernel, verdict.file,
                                 judgement, verdict.seconds);
  text += results_text(verdict.results);
  const auto not_finished = [&](const JudgeRun& run) {
    if (!run.problem.empty())
      text += fmt::format("  not finished: {}; the cases after it were not run\n", run.problem);
  };
  not_finished(verdict.results);
  text += kernels_text(verdict.results) + race_text(verdict.race);
  not_finished(verdict.race);
  const auto lines = profile_of(verdict.race.profile, verdict.file);
  text += profile_text(lines, true) + profile_text(lines, false);
  std::istringstream assembly(verdict.assembly);
  for (std::string line; std::getline(assembly, line);)
    text += fmt::format("  sm_90          {}\n", line);
  return text;
}

}  // namespace glia
