// glia gradcheck: a row for each gradient that the list of kernels promises, and every planted
// mistake found, by the operation that has it.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/runtime/gpu_backends.h"
#include "kernels/api/table.h"
#include "tests/catch.h"
#include "tests/cli/program.h"

using namespace glia;

namespace {

using nlohmann::json;

std::vector<std::string> backends() {
  std::vector<std::string> names{"cpu"};
  if (find_gpu_backend("emu") != nullptr)
    names.emplace_back("emu");
  else
    WARN("gradcheck on the emulator is not tested: this build has none");
  return names;
}

struct Checked {
  int code = 0;
  json all;
};

Checked gradcheck(std::vector<std::string> words) {
  words.insert(words.begin(), "gradcheck");
  words.emplace_back("--json");
  const Outcome outcome = run_glia(words);
  CAPTURE(words, outcome.output);
  REQUIRE(json::accept(outcome.output));
  return {outcome.code, json::parse(outcome.output)};
}

/// The gradients that kernels for the backward pass write: "conv2d_wgrad" and "dw".
std::set<std::pair<std::string, std::string>> promised() {
  std::set<std::pair<std::string, std::string>> all;
#define GLIA_KERNEL(name, Args, op, phase)                                       \
  if (Phase::phase == Phase::backward || Phase::phase == Phase::dgrad ||         \
      Phase::phase == Phase::wgrad) {                                            \
    Args args{};                                                                 \
    visit(args, [&](const char* operand, Role role, const auto&, Content = {}) { \
      if (role != Role::in && operand[0] == 'd') all.emplace(#name, operand);    \
    });                                                                          \
  }
#include "kernels/api/list.h"
  return all;
}

/// "dw" of a row for "weight".
std::string operand_of(const json& row) {
  const std::map<std::string, std::string> names = {{"weight", "dw"},
                                                    {"bias", "db"},
                                                    {"gamma", "dgamma"},
                                                    {"beta", "dbeta"},
                                                    {"logits", "dlogits"}};
  const auto found = names.find(row.at("gradient").get<std::string>());
  return found == names.end() ? "dx" : found->second;
}

std::set<std::string> wrong_operations(const json& all) {
  std::set<std::string> ops;
  for (const json& row : all.at("rows"))
    if (!row.at("right").get<bool>()) ops.insert(row.at("operation"));
  return ops;
}

struct Expected {
  std::string mistake;
  std::set<std::string> ops;
  std::string common;  // what is said of the wrong elements
};
const Expected kExpected[] = {
    {"sign", {"conv2d"}, "each of them is -1 times"},
    {"accumulate", {"concat", "max_pool2d"}, "overwrites (=) where it must add (+=)"},
    {"transposed-weights", {"concat", "conv2d"}, "no factor"},
    {"stride-forgotten", {"conv2d", "conv_transpose2d"}, "no factor"},
    {"no-skip-gradient", {"concat"}, "are 0: what should reach them is lost"},
    {"tie-to-two", {"max_pool2d"}, "at a kink or a tie"},
    {"norm-middle-term", {"batch_norm", "batch_norm_relu"}, "the same all over a channel"},
};

}  // namespace

TEST_CASE("gradcheck: a right row for every gradient of every kernel in the list",
          "[cli][gradcheck]") {
  std::size_t rows = 0;
  for (const std::string& backend : backends()) {
    CAPTURE(backend);
    const Checked checked = gradcheck({"--backend", backend});
    CHECK(checked.code == 0);
    CHECK(checked.all.at("wrong") == 0);
    auto missing = promised();
    REQUIRE(missing.size() > 20);
    std::set<std::string> ran, names;
    for (const json& row : checked.all.at("rows")) {
      CAPTURE(row.dump());
      CHECK(row.at("right") == true);
      CHECK(row.at("compared").get<int>() > 0);
      CHECK(row.at("error").get<double>() <= row.at("bound").get<double>());
      for (const std::string kernel : row.at("kernels")) missing.erase({kernel, operand_of(row)});
      for (const std::string kernel : row.at("ran")) ran.insert(kernel);
      CHECK(names
                .insert(row.at("operation").get<std::string>() + "/" +
                        row.at("mode").get<std::string>() + "/" +
                        row.at("gradient").get<std::string>())
                .second);
    }
    for (const auto& [kernel, operand] : missing)
      FAIL_CHECK("no row for " << kernel << " " << operand);
    // What is no kernel of the backward pass alone but gives gradients.
    for (const char* kernel : {"dropout", "mul", "scale", "fill"}) CHECK(ran.count(kernel) == 1);
    // Kinks and ties are left out, and only a few.
    CHECK(checked.all.at("skipped").get<int>() > 10);
    CHECK(checked.all.at("skipped").get<int>() < 100);
    CHECK((rows == 0 || rows == names.size()));
    rows = names.size();
  }
}

TEST_CASE("gradcheck: every planted mistake is found where it is", "[cli][gradcheck]") {
  const std::string list = run_glia({"gradcheck", "--break", "list"}).output;
  CHECK(static_cast<std::size_t>(std::count(list.begin(), list.end(), '\n')) ==
        std::size(kExpected));
  for (const Expected& expected : kExpected) {
    CHECK(list.find("  " + expected.mistake + " ") != std::string::npos);
    for (const std::string& backend : backends()) {
      CAPTURE(expected.mistake, backend);
      // All operations on the CPU: the others stay right.
      std::vector<std::string> words{"--break", expected.mistake, "--backend", backend};
      if (backend != "cpu") words.insert(words.end(), expected.ops.begin(), expected.ops.end());
      const Checked checked = gradcheck(words);
      CHECK(checked.code == 0);
      CHECK(checked.all.at("found") == true);
      CHECK(checked.all.at("ran").get<int>() > 0);
      CHECK(wrong_operations(checked.all) == expected.ops);
      CHECK(checked.all.dump().find(expected.common) != std::string::npos);
    }
  }
}

TEST_CASE("gradcheck: says of a mistake where it was found and what it is", "[cli][gradcheck]") {
  const Outcome outcome = run_glia({"gradcheck", "conv2d", "--break", "stride-forgotten"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "5 of 6 rows right on cpu"));
  CHECK(contains(outcome, "found, in 1 of 6 rows: conv2d stride 2 input"));
  CHECK(contains(outcome, "as if the stride were 1"));
}

TEST_CASE("gradcheck: whole networks, and a mistake named by the parameters it spoils",
          "[cli][gradcheck]") {
  const Checked right = gradcheck({"--net", "depth-2", "batch-1", "transpose"});
  CHECK(right.code == 0);
  REQUIRE(right.all.at("rows").size() == 3);
  for (const json& row : right.all.at("rows")) {
    CHECK(row.at("right") == true);
    CHECK(row.at("directions").get<int>() == 4);
  }
  const Checked broken = gradcheck(
      {"--net", "depth-2", "batch-1", "upsample", "no-norm", "--break", "no-skip-gradient"});
  CHECK(broken.code == 0);
  REQUIRE(broken.all.at("rows").size() == 1);
  const json row = broken.all.at("rows").front();
  CHECK(row.at("common") == "all of encoder; nothing of bottleneck, decoder, head");
}

TEST_CASE("gradcheck: a mistake that nothing reaches ends with 3", "[cli][gradcheck]") {
  const Outcome outcome = run_glia({"gradcheck", "--net", "depth-2", "batch-1", "transpose",
                                    "group-norm", "--break", "norm-middle-term"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 3);
  CHECK(contains(outcome, "not found: nothing that was checked runs what it changes"));
}

TEST_CASE("gradcheck: what cannot be checked is refused with advice that helps",
          "[cli][gradcheck]") {
  const auto refused = [](const std::vector<std::string>& words, const std::string& text,
                          int code) {
    const Outcome outcome = run_glia(words);
    CAPTURE(words, outcome.output);
    CHECK(outcome.code == code);
    CHECK(contains(outcome, text));
  };
  refused({"gradcheck", "conv3d"},
          "gradcheck: found no operation 'conv3d', expected some of conv2d", 1);
  refused({"gradcheck", "threshold"}, "gradcheck: threshold has no gradient to check", 1);
  refused({"gradcheck", "--break", "typo"}, "--break: found 'typo', expected one of sign, ", 1);
  refused({"gradcheck", "relu", "--break", "sign"},
          "--break sign: is a mistake that shows in conv2d, and relu was chosen; choose one of "
          "them, or name no operation",
          1);
  CHECK(run_glia({"gradcheck", "conv2d", "--break", "sign"}).code == 0);
  refused({"gradcheck", "--backend", "gpu"}, "cpu", 2);
  refused({"gradcheck", "--net", "depth-3"}, "--net: found 'depth-3', expected some of depth-2", 1);
  if (find_gpu_backend("cuda") == nullptr) {
    refused({"gradcheck", "relu", "--backend", "cuda"},
            "--backend cuda: this build has no CUDA kernels", 1);
    if (find_gpu_backend("emu") != nullptr)
      CHECK(run_glia({"gradcheck", "relu", "--backend", "emu"}).code == 0);
  }
}
