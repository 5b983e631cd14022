// glia gradcheck: every gradient beside central differences in float64, and known mistakes that it
// must find.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/terminal/gradient_table.h"
#include "apps/terminal/interrupt.h"
#include "benchmarks/judge/devices.h"
#include "benchmarks/judge/mistakes.h"
#include "engine/base/check.h"

namespace glia {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kWrong = 1, kNotFound = 3;

struct GradcheckOptions {
  std::vector<std::string> ops;
  std::string backend = "cpu", mistake;
  bool net = false, json = false;
};

/// What all rows together say.
struct Counts {
  std::size_t rows = 0, wrong = 0, skipped = 0;
  std::vector<std::string> caught;  // "conv2d weight (conv2d_wgrad)"
};

std::string mistake_lines() {
  std::string text;
  for (const test::Mistake& mistake : test::mistakes())
    text += fmt::format("  {:<20} {}\n", mistake.name, mistake.text);
  return text;
}

void check_reach(const test::Mistake& mistake, const std::vector<test::GradientCase>& chosen) {
  if (std::any_of(chosen.begin(), chosen.end(),
                  [&](const auto& one) { return test::shows(mistake, one.op); }))
    return;
  std::vector<std::string> ops;
  for (const test::GradientCase& one : chosen)
    if (ops.empty() || ops.back() != one.op) ops.push_back(one.op);
  fail(
      "--break {}: is a mistake that shows in {}, and {} {} chosen; choose one of them, or name no "
      "operation",
      mistake.name, mistake.ops, fmt::join(ops, ", "), ops.size() == 1 ? "was" : "were");
}

class Run {
 public:
  Run(const GradcheckOptions& options, const KernelTable& kernels)
      : options_(options), kernels_(kernels) {}

  void check_operations(const std::vector<test::GradientCase>& chosen) {
    say(gradient_head());
    for (const test::GradientCase& one : chosen)
      for (const test::GradientRow& row : test::check_gradients(one, kernels_)) {
        if (!row.right())
          counts_.caught.push_back(fmt::format("{}{}{} {}", row.op, row.mode.empty() ? "" : " ",
                                               row.mode, row.gradient));
        take(row);
      }
  }

  void check_nets(const std::vector<test::NetCase>& chosen) {
    say(net_head());
    for (const test::NetCase& one : chosen) {
      const test::NetRow row = test::check_net(one, kernels_);
      if (!row.right()) counts_.caught.push_back(row.net);
      take(row);
    }
  }

  const Counts& counts() const { return counts_; }
  Json& rows() { return rows_; }

 private:
  template <class Row>
  void take(const Row& row) {
    ++counts_.rows;
    counts_.wrong += !row.right();
    counts_.skipped += static_cast<std::size_t>(row.skipped);
    say(text_of(row));
    rows_.push_back(json_of(row));
    check(!interrupted(), "interrupted");
  }

  void say(const std::string& text) const {
    if (options_.json) return;
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const GradcheckOptions& options_;
  const KernelTable& kernels_;
  Counts counts_;
  Json rows_ = Json::array();
};

/// What is said of a planted mistake at the end.
std::string break_text(const test::Mistake& mistake, const Counts& counts, std::int64_t runs) {
  if (counts.wrong > 0)
    return fmt::format("--break {}: found, in {} of {} rows: {}\n  planted: {}\n", mistake.name,
                       counts.wrong, counts.rows, fmt::join(counts.caught, ", "), mistake.text);
  if (runs == 0)
    return fmt::format("--break {}: not found: nothing that was checked runs what it changes\n",
                       mistake.name);
  return fmt::format("--break {}: NOT FOUND, though it ran {} times\n", mistake.name, runs);
}

void run_gradcheck(const GradcheckOptions& o) {
  if (o.mistake == "list") {
    fmt::print("{}", mistake_lines());
    return;
  }
  const test::Mistake* mistake = o.mistake.empty() ? nullptr : &test::find_mistake(o.mistake);
  const auto chosen = o.net ? std::vector<test::GradientCase>() : test::gradient_cases(o.ops);
  const auto nets = o.net ? test::net_cases(o.ops) : std::vector<test::NetCase>();
  if (mistake != nullptr && !o.net) check_reach(*mistake, chosen);
  const KernelTable& right = test::kernels_named(o.backend);
  catch_interrupts();
  const auto planted =
      mistake == nullptr ? nullptr : std::make_unique<test::Planted>(*mistake, right);
  Run run(o, planted ? planted->kernels() : right);
  if (o.net)
    run.check_nets(nets);
  else
    run.check_operations(chosen);

  const Counts& counts = run.counts();
  if (o.json) {
    Json all = {{"backend", o.backend},
                {"mistake", nullptr},
                {"rows", run.rows()},
                {"wrong", counts.wrong},
                {"skipped", counts.skipped}};
    if (mistake != nullptr) {
      all["mistake"] = mistake->name;
      all["found"] = counts.wrong > 0;
      all["ran"] = planted->runs();
    }
    fmt::print("{}\n", all.dump(1));
  } else {
    fmt::print("{} of {} rows right on {}\n", counts.rows - counts.wrong, counts.rows, o.backend);
    if (mistake != nullptr) fmt::print("{}", break_text(*mistake, counts, planted->runs()));
  }
  if (mistake == nullptr && counts.wrong > 0) throw CLI::RuntimeError(kWrong);
  if (mistake != nullptr && counts.wrong == 0) throw CLI::RuntimeError(kNotFound);
}

}  // namespace

void add_gradcheck_command(CLI::App& app) {
  auto* command = app.add_subcommand("gradcheck",
                                     "Compares every gradient with central differences in float64");
  auto options = std::make_shared<GradcheckOptions>();
  command->add_option("operation", options->ops,
                      "Operations to check, such as conv2d; with --net words of networks, such as "
                      "depth-2; all without");
  command
      ->add_option("--backend", options->backend,
                   "Whose backward passes: cpu, emu (the GPU's kernels, emulated) or cuda")
      ->check(CLI::IsMember({"cpu", "emu", "cuda"}));
  command->add_option("--break", options->mistake,
                      "Plant a known mistake, which the check must find; list names them");
  command->add_flag("--net", options->net,
                    "Check whole networks: depths 2 and 4, batches of 1 and 3, both ways up, all "
                    "norms");
  command->add_flag("--json", options->json, "Print JSON instead of a table");
  command->footer("Mistakes for --break:\n" + mistake_lines() +
                  "Ends with 1 where a gradient is wrong. With --break: 0 where the mistake is "
                  "found, 3 where\nit is not.\n"
                  "Example:\n"
                  "  glia gradcheck conv2d --backend emu\n"
                  "  glia gradcheck conv2d --break stride-forgotten\n"
                  "  glia gradcheck --net depth-2 batch-1\n"
                  "docs/gradcheck.md explains the columns.");
  command->callback([options] { run_gradcheck(*options); });
}

}  // namespace glia
