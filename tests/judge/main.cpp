// Judges a plugin's kernel by the cases of its operation, on the emulator, and says what it found
// as JSON, a line as a case begins and one as it ends. `glia kernel` runs it and reads that; a
// crash is the end of this process and of no other.
//
// Usage: kernel_judge PLUGIN.so KERNEL results|run FROM [tf32]
//   results  every check of benchmarks/judge/examine.h
//   run      of a plugin that is built for the race checker: what that sees, small cases first. The
//            last line then has the profile. All other kernels are not instrumented, so what they
//            have written is told to the checker.
//   FROM     the number of the first case in that order, from 0
#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "engine/base/check.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/plugin.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/launched.h"
#include "kernels/emu/places.h"
#include "kernels/emu/race.h"
#include "benchmarks/judge/examine.h"
#include "benchmarks/judge/tolerance.h"

namespace glia::test {
namespace {

using Json = nlohmann::ordered_json;

const KernelTable* g_plugin = nullptr;
std::int64_t g_calls = 0;
/// The kernels that calls of the plugin's have launched, each once.
std::vector<emu::Launched> g_launched;
std::set<std::size_t> g_case_launched;  // those of one case, by their places in that list

/// Notes what is launched while it lives.
class LaunchNotes {
 public:
  LaunchNotes() { emu::log_launched(&now_); }
  ~LaunchNotes() {
    emu::log_launched(nullptr);
    for (const emu::Launched& launched : now_) {
      const auto known = std::find(g_launched.begin(), g_launched.end(), launched);
      g_case_launched.insert(static_cast<std::size_t>(known - g_launched.begin()));
      if (known == g_launched.end()) g_launched.push_back(launched);
    }
  }
  LaunchNotes(const LaunchNotes&) = delete;
  LaunchNotes& operator=(const LaunchNotes&) = delete;

 private:
  std::vector<emu::Launched> now_;
};

/// Multiplications, or elements of the first input, of a case that the race checker runs, and of
/// one whose accesses are counted too: ten million accesses a second and one.
constexpr double kMostWork = 1e5, kMostCounted = 2e4;
constexpr int kLookedAt = 8;

template <auto entry>
void counted(KernelContext& context, const ArgsOf<entry>& args) {
  ++g_calls;
  for (const Operand& operand : operands_of(args))
    if (operand.role != Role::out)
      emu::race::mark_written(operand.view.data, static_cast<std::size_t>(operand.span()) *
                                                     size_of(operand.view.dtype));
  const LaunchNotes notes;
  (g_plugin->*entry)(context, args);
}

/// The plugin's table with its kernels counted.
KernelTable counted_table(const KernelTable& with, const KernelTable& ours) {
  g_plugin = &with;
  KernelTable table = with;
#define GLIA_KERNEL(name, Args, op, phase) \
  if (with.name != ours.name) table.name = counted<&KernelTable::name>;
#include "kernels/api/list.h"
  return table;
}

const KernelInfo& kernel_named(const std::string& name) {
  for (const KernelInfo& kernel : kKernels)
    if (kernel.name == name) return kernel;
  fail("kernel_judge: found no kernel '{}'", name);
}

/// What a report shows of a case's shape.
Json shape_of(const Case& test) {
  if (test.geometry) {
    const ConvGeometry& g = *test.geometry;
    return {{"N", g.N}, {"H", g.H}, {"W", g.W}, {"C", g.C},
            {"K", g.K}, {"R", g.R}, {"S", g.S}, {"stride", std::max(g.stride_h, g.stride_w)}};
  }
  Json shape = Json::object();
  if (test.inputs.empty() || test.inputs.front().shape.rank() != 4) return shape;
  const Shape& x = test.inputs.front().shape;
  for (int i = 0; i < 4; ++i) shape[std::string(1, "NHWC"[i])] = x[i];
  return shape;
}

double work_of(const Case& test) {
  if (test.geometry) return test.geometry->flops() / 2;
  return test.inputs.empty() ? 0 : static_cast<double>(test.inputs.front().shape.numel());
}

/// The place of each launched kernel's first line, and whether its code lies in the plugin.
Json launched_kernels(const std::string& plugin) {
  std::vector<std::uint32_t> places;
  for (const emu::Launched& launched : g_launched)
    places.push_back(emu::place_of(static_cast<const char*>(launched.kernel) + 1));
  const std::vector<std::string> names = emu::place_names(places);
  Json kernels = Json::array();
  for (std::size_t i = 0; i < g_launched.size(); ++i) {
    Dl_info info{};
    const bool known = dladdr(g_launched[i].kernel, &info) != 0;
    kernels.push_back({{"name", g_launched[i].name},
                       {"place", names[i]},
                       {"own", known && plugin == info.dli_fname}});
  }
  return kernels;
}

/// Leaves out gradients that other kernels compute: nobody asks about those, and they take most of
/// the time.
void leave_out_others(Case& test, const KernelInfo& kernel) {
  for (std::size_t i = 0; i < test.inputs.size(); ++i) {
    bool& grad = test.inputs[i].grad;
    if (kernel.phase == Phase::forward) grad = false;
    if (kernel.phase == Phase::dgrad) grad = grad && i == 0;
    if (kernel.phase == Phase::wgrad) grad = grad && i > 0;
  }
}

/// "conv2d.bf16-windows" of "conv2d.bf16-windows.3".
std::string group_of(const Case& test) {
  return test.name.substr(0, test.name.rfind('.'));
}

/// Whether these are operands of the arithmetic that is judged.
bool is_for(const Case& test, bool tf32) {
  const auto has = [&](const char* part) { return test.name.find(part) != std::string::npos; };
  if (tf32) return has(".tf32-") || has("patches");
  return !has(".tf32-") && !has(".bf16-");
}

double share_of(const std::string& line) {
  return std::strtod(line.substr(line.rfind(' ') + 1).c_str(), nullptr);
}

void say(const Json& line) {
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

Json judge(const Case& test, const KernelTable& kernels, const KernelTable& ours, bool results) {
  g_calls = 0;
  g_case_launched.clear();
  Report report;
  if (results) {
    report = examine(test, kernels);
    // Bounds follow from the formula for the arithmetic that the case was made for; one that our
    // kernels do not keep in this arithmetic says nothing of anybody's.
    static int wrong = 0;  // of those that ours keep: after a few nobody needs to look any more
    const bool declined =
        !report.failures.empty() && report.failures.front().starts_with("threw: unsupported: ");
    if (!report.failures.empty() && !declined && g_calls > 0 && wrong < kLookedAt) {
      const auto calls = g_calls;
      if (!examine(test, ours).failures.empty())
        return {
            {"failures", Json::array()}, {"share", "0"}, {"calls", calls}, {"not_judged", true}};
      ++wrong;
    }
  } else {
    emu::options().profile = work_of(test) <= kMostCounted;
    try {
      only_run(test, kernels);
    } catch (const Error& error) {
      report.failures.push_back(error.what());
    }
  }
  double share = 0;
  for (const std::string& line : report.shares) share = std::max(share, share_of(line));
  return {{"failures", report.failures},
          {"share", fmt::format("{}", share)},
          {"calls", g_calls},
          {"launched", g_case_launched}};
}

int run(int count, char** words) {
  check(count == 5 || count == 6, "usage: kernel_judge PLUGIN.so KERNEL results|run FROM [tf32]");
  const KernelInfo& kernel = kernel_named(words[2]);
  const bool results = std::string(words[3]) == "results", tf32 = count == 6;
  const auto first = std::stoul(words[4]);
  const KernelTable& ours = *find_gpu_backend("emu")->kernels;
  const KernelTable& with = with_plugin(load_plugin(words[1]), ours, "the emulator");
  check(replaces(with, ours, kernel.id), "{} does not replace {}", words[1], kernel.name);
  const KernelTable table = counted_table(with, ours);
  std::vector<Case> all = cases::find(kernel.op);
  std::set<std::string> other_groups;
  std::erase_if(all, [&](const Case& test) {
    const bool other = !is_for(test, tf32);
    if (other) other_groups.insert(group_of(test));
    return other;
  });
  const auto is_large = [](const Case& test) { return work_of(test) > kMostWork; };
  const auto left = results ? 0 : std::erase_if(all, is_large);
  if (!results)
    std::stable_sort(all.begin(), all.end(),
                     [](const Case& a, const Case& b) { return work_of(a) < work_of(b); });
  for (std::size_t i = first; i < all.size(); ++i) {
    Case test = all[i];
    leave_out_others(test, kernel);
    test.gpu_conv.algorithm = ConvAlgorithm::naive;  // of ours around it: the quickest here
    if (tf32) {
      test.tf32 = true;
      test.condition *= kTruncationCondition;
    }
    say({{"number", i}, {"case", test.name}, {"text", test.text}, {"shape", shape_of(test)}});
    say(judge(test, table, ours, results));
  }
  Json end = {{"end", true},
              {"other_groups", other_groups},
              {"kernels", launched_kernels(load_plugin(words[1]).file)}};
  if (!results) {
    end["left"] = left;
    end["profile"] = emu::profile_table();
  }
  say(end);
  return 0;
}

}  // namespace
}  // namespace glia::test

int main(int count, char** words) {
  try {
    return glia::test::run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kernel_judge: %s\n", error.what());
    return 1;
  }
}
