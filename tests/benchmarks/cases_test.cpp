// The list of cases: their names, what they record, and operations at any shape.
#include "benchmarks/cases/cases.h"

#include <set>

#include "benchmarks/suite/case_rows.h"
#include "tests/catch.h"

using namespace glia;

namespace {

std::vector<std::string> kernels_of(const std::vector<bench::Row>& rows) {
  std::vector<std::string> kernels;
  for (const bench::Row& row : rows) kernels.push_back(row.call.kernel);
  return kernels;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("cases: each has a name of its own, by which it is found", "[bench]") {
  std::set<std::string> names;
  std::size_t count = 0;
  for (const cases::Operation& operation : cases::operations()) {
    std::size_t of_operation = 0;
    for (const cases::Group& group : operation.groups) {
      const std::string name = fmt::format("{}.{}", operation.name, group.name);
      CAPTURE(name);
      CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-.") == std::string::npos);
      CHECK(std::string(group.name).find('.') == std::string::npos);
      const std::vector<cases::Case> found = cases::find(name);
      REQUIRE(found.size() == group.make().size());
      for (const cases::Case& test : found) names.insert(test.name);
      of_operation += found.size();
      CHECK(found.back().name == fmt::format("{}.{}", name, found.size()));
      const std::vector<cases::Case> single = cases::find(found.back().name);
      REQUIRE(single.size() == 1);
      CHECK(single[0].text == found.back().text);
    }
    if (of_operation > 0) CHECK(cases::find(operation.name).size() == of_operation);
    count += of_operation;
  }
  CHECK(names.size() == count);
  CHECK(count > 300);
}

TEST_CASE("cases: an unknown name is refused with those near it", "[bench]") {
  CHECK_THROWS_WITH(cases::find("sigmoid.shape"),
                    "case: found no 'sigmoid.shape', expected a case, its group or its operation: "
                    "sigmoid.shapes[.1 to .7]");
  CHECK_THROWS_WITH(cases::find("sigmoid.shapes.99"),
                    "case: found no 'sigmoid.shapes.99', expected a case, its group or its "
                    "operation: sigmoid.shapes[.1 to .7]");
  CHECK_THROWS_WITH(cases::find("softmax"),
                    StartsWith("case: found no 'softmax', expected a case, its group or its "
                               "operation: conv2d, conv_transpose2d, batch_norm, "));
  CHECK_THROWS_AS(cases::find(""), Error);
  CHECK_THROWS_AS(cases::find("sigmoid.shapes."), Error);
}

TEST_CASE("cases: each records kernels of the list, forward and backward", "[bench]") {
  for (const cases::Operation& operation : cases::operations())
    for (const cases::Group& group : operation.groups)
      for (const cases::Case& test :
           cases::find(fmt::format("{}.{}", operation.name, group.name))) {
        CAPTURE(test.name, test.text);
        const auto calls = bench::record_case(test, {.maps = Maps::read});
        CHECK_FALSE(calls.empty());
        bool backward = false, wanted = false;
        for (const bench::Call& call : calls) {
          CHECK(call.layer == test.name);
          CHECK(call.bytes() > 0);
          backward = backward || call.phase != Phase::forward;
        }
        for (const cases::Input& input : test.inputs) wanted = wanted || input.grad;
        // What is only joined or written down has no kernel backward.
        CHECK((backward == wanted || calls.back().op == std::string_view("scale")));
      }
}

TEST_CASE("cases: rows of an operation at a shape are its kernels", "[bench]") {
  const bench::Filter conv{.ops = {"conv2d"}, .phases = {}};
  const cases::Dimensions d{.shape = {2, 9, 7, 3}, .R = 3, .S = 2, .K = 5, .stride_h = 2};
  const auto rows = bench::rows_at(d, "2x9x7x3", conv, {});
  CHECK(kernels_of(rows) == Names{"conv2d_forward", "conv2d_dgrad", "conv2d_wgrad"});
  CHECK(rows[0].call.extent.str() == "2x9x7 3>5 3x2/2x1");
  CHECK(rows[0].layers == Names{"conv2d"});
  // By kernel, by phase, and several operations.
  CHECK(kernels_of(bench::rows_at(d, "", {.ops = {"conv2d_dgrad"}, .phases = {}}, {})) ==
        Names{"conv2d_dgrad"});
  CHECK(kernels_of(bench::rows_at(d, "", {.ops = {"conv2d", "relu"}, .phases = {"backward"}},
                                  {})) == Names{"relu_backward"});
  // Each mode of a norm is a row; what only backends with maps have is recorded as on these.
  const auto norm = bench::rows_at(d, "", {.ops = {"batch_norm_relu"}, .phases = {}}, {});
  CHECK(kernels_of(norm) ==
        Names{"channel_moments", "batch_norm_relu_map_train", "batch_norm_relu_backward_train",
              "batch_norm_relu_map_eval", "batch_norm_relu_backward_eval",
              // Of ranks.
              "channel_moments", "merge_moments", "batch_norm_relu_map_train",
              "batch_norm_relu_backward_sums", "batch_norm_relu_backward_apply"});
  CHECK(norm.front().layers == Names{"batch_norm_relu.training"});
  CHECK(norm[3].layers == Names{"batch_norm_relu.evaluation"});
  CHECK(norm.back().layers == Names{"batch_norm_relu.ranks"});
}

TEST_CASE("cases: dimensions that do not fit are refused", "[bench]") {
  const auto rows = [](const char* op, const cases::Dimensions& d) {
    return bench::rows_at(d, "GIVEN", {.ops = {op}, .phases = {}}, {});
  };
  CHECK_THROWS_WITH(rows("max_pool2d", {.shape = {5, 6, 3}}),
                    "--shape GIVEN: max_pool2d: found the shape 5x6x3, expected four extents N x H "
                    "x W x C, such as 6x240x240x32");
  CHECK_THROWS_WITH(rows("conv2d", {.shape = {1, 5, 6, 3}}),
                    "--shape GIVEN: conv2d: found no kernel, expected one of R x S x K, such as "
                    "3x3x48");
  CHECK_THROWS_WITH(rows("conv2d", {.shape = {1, 5, 6, 3}, .R = 7, .S = 3, .K = 4}),
                    "--shape GIVEN: conv2d: the window 7x3 is larger than the padded input 5x6 "
                    "(input [1, 5, 6, 3])");
  CHECK_THROWS_WITH(
      rows("group_norm", {.shape = {1, 5, 6, 33}, .groups = 8}),
      "--shape GIVEN: group_norm: found 8 groups for 33 channels, expected a divisor");
  CHECK_THROWS_WITH(rows("max_pool2d", {.shape = {1, 5, 6, 3}, .stride_h = 2, .stride_w = 1}),
                    "--shape GIVEN: max_pool2d: found stride 2x1, expected the same both ways");
  CHECK_THROWS_WITH(rows("softmax", {.shape = {1, 5, 6, 3}}),
                    StartsWith("--op: found 'softmax', expected one of conv2d, "));
  CHECK_THROWS_WITH(
      bench::rows_of_cases({"batch_norm_relu.conv2d.1"}, {}, {.backend = "plain"}),
      "--case batch_norm_relu.conv2d.1: unsupported: conv2d: input is deferred, and the backend "
      "'plain' reads no maps; choose other cases or another --backend");
  CHECK_THROWS_WITH(bench::rows_of_cases({"relu.deferred"}, {}, {.backend = "plain"}),
                    StartsWith("--case relu.deferred.1: unsupported: materialise: "));
  // Of a group those that the backend can run are left.
  const bench::CaseRows some = bench::rows_of_cases({"relu"}, {}, {.backend = "plain"});
  const bench::CaseRows all = bench::rows_of_cases({"relu"}, {}, {.maps = Maps::read});
  CHECK_FALSE(some.rows.empty());
  CHECK(all.left_out.empty());
  REQUIRE_FALSE(some.left_out.empty());
  for (const std::string& text : some.left_out)
    CHECK_THAT(text, StartsWith("relu.deferred.") &&
                         ContainsSubstring("the backend 'plain' reads no maps"));
}
