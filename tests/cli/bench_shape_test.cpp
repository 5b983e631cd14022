// glia bench beside the training step: operations at any shape, cases by name, the list of both.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/runtime/gpu_backends.h"
#include "kernels/api/table.h"
#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

Outcome quick_bench(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "bench", "--device", "cpu", "--row-seconds", "0", "--samples", "2", "--flush-mib", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_glia(arguments);
}

/// Refused, with exit status 1 and this in its one message, and nothing written.
void check_refused(const std::vector<std::string>& more, const std::string& message) {
  const TempFolder folder;
  const auto out = folder.path() / "bench";
  std::vector<std::string> arguments = more;
  arguments.insert(arguments.end(), {"--out", out.string()});
  const Outcome outcome = quick_bench(arguments);
  CAPTURE(outcome.output, message);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, message));
  CHECK_FALSE(std::filesystem::exists(out));
}

}  // namespace

TEST_CASE("bench: a convolution at any shape, its way and its rows in the report", "[cli]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "bench").string();
  const Outcome outcome = quick_bench({"--op", "conv2d", "--shape", "2x19x21x33", "--kernel",
                                       "3x3x48", "--stride", "2", "--out", out});
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  for (const char* text : {"conv2d at 2x19x21x33 --kernel 3x3x48 --stride 2", "2x19x21 33>48 3x3/2",
                           "dgrad", "wgrad", "taps", "algorithm"})
    CHECK(contains(outcome, text));
  CHECK_FALSE(contains(outcome, "of a step"));
  const auto json = nlohmann::json::parse(read_file(folder.path() / "bench/bench.json"));
  CHECK(json["settings"]["shape"] == "2x19x21x33 --kernel 3x3x48 --stride 2");
  CHECK_FALSE(json["settings"].contains("size"));
  CHECK(json["steps"].empty());
  CHECK(json["totals"].empty());
  REQUIRE(json["rows"].size() == 3);
  for (const auto& row : json["rows"]) {
    CHECK(row["base_width"].is_null());
    CHECK(row["layer"] == "conv2d");
    CHECK(row["algorithm"] == "taps");
    CHECK(row["stride"] == 2);
    CHECK(row["stride_w"] == 2);
    CHECK(row["problem"] == "");
    CHECK(row["relative_error"].get<double>() < 1e-5);
    CHECK(row["deterministic"] == true);
  }
}

TEST_CASE("bench: operations at a shape, with what each takes, in every mode", "[cli]") {
  const Outcome losses = quick_bench({"--op", "dice_loss,iou_loss", "--shape", "6x24x24x1"});
  CAPTURE(losses.output);
  CHECK(losses.code == 0);
  for (const char* text : {"dice_loss.batch", "iou_loss.image", "6x24x24x1", "backward"})
    CHECK(contains(losses, text));
  const Outcome steps =
      quick_bench({"--op", "adam,sgd,rmsprop,fill", "--shape", "1000", "--profile-once"});
  CAPTURE(steps.output);
  CHECK(steps.code == 0);
  CHECK(contains(steps, "rmsprop"));
  const Outcome norm = quick_bench({"--op", "group_norm,max_pool2d,upsample_nearest2d", "--shape",
                                    "2x8x8x6", "--groups", "3", "--window", "3", "--stride", "1",
                                    "--factor", "3", "--phase", "backward"});
  CAPTURE(norm.output);
  CHECK(norm.code == 0);
  CHECK(contains(norm, "2x24x24x6"));
  const Outcome single =
      quick_bench({"--op", "conv_transpose2d_dgrad", "--shape", "2x8x8x6", "--kernel", "2x2x4",
                   "--stride", "2x1", "--padding", "same", "--conv", "direct,auto"});
  CAPTURE(single.output);
  CHECK(single.code == 0);
  CHECK(contains(single, "/2x1"));
  CHECK(contains(single, "peer"));
  CHECK_FALSE(contains(single, "wgrad"));
}

TEST_CASE("bench: cases of the tests by name", "[cli]") {
  const Outcome outcome = quick_bench(
      {"--case", "conv2d.windows.13,relu.shapes", "--phase", "forward,wgrad", "--no-cold"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  for (const char* text : {"cases conv2d.windows.13, relu.shapes", "1x9x8 3>5 3x3/2",
                           "relu.shapes.1 ", "relu.shapes.6 ", "wgrad"})
    CHECK(contains(outcome, text));
  CHECK_FALSE(contains(outcome, "dgrad"));
  const Outcome chosen = quick_bench({"--case", "tape", "--op", "mul", "--no-check"});
  CAPTURE(chosen.output);
  CHECK(chosen.code == 0);
  CHECK(contains(chosen, "tape.consumers.3"));
  CHECK_FALSE(contains(chosen, " add "));
}

TEST_CASE("bench: the cases of its help run as printed, on every backend", "[cli]") {
  const std::string help = run_glia({"bench", "--help"}).output;
  const std::string lead = "glia bench --case ";
  const std::size_t at = help.find(lead);
  REQUIRE(at != std::string::npos);
  const std::string line = help.substr(at + lead.size(), help.find('\n', at) - at - lead.size());
  const std::string quick =
      " --device cpu --row-seconds 0 --samples 1 --flush-mib 1 --peak-gflops 1 --peak-gbytes 1";
  const Outcome outcome = run_shell("\"$GLIA\" bench --case " + line + quick);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "relu.deferred.1"));
  if (find_gpu_backend("emu") == nullptr) return;
  const Outcome beside =
      run_shell("\"$GLIA\" bench --case relu,batch_norm_relu.concat --backend native,emu" + quick);
  CAPTURE(beside.output);
  CHECK(beside.code == 0);
  CHECK(contains(beside, "left out: batch_norm_relu.concat.1: unsupported: "));
}

TEST_CASE("bench: kernels of the step by name, and a backend without one", "[cli]") {
  const Outcome step = quick_bench({"--op", "conv2d_wgrad,adam", "--base-width", "4", "--depth",
                                    "2", "--batch-size", "2", "--size", "16", "--profile-once"});
  CAPTURE(step.output);
  CHECK(step.code == 0);
  CHECK(contains(step, "encoder.0.conv1"));
  CHECK_FALSE(contains(step, "dgrad"));
  // Where nobody has it, nothing is timed, and that is a failure.
  const Outcome nobody = quick_bench({"--op", "relu", "--shape", "100000x1000x1000x1"});
  CAPTURE(nobody.output);
  CHECK(nobody.code == 1);
  CHECK(contains(nobody, "bench: nothing was timed; needs "));
  CHECK(contains(nobody, "choose a smaller shape or batch"));
}

TEST_CASE("bench: shapes and cases that make no sense are refused", "[cli]") {
  check_refused({"--op", "conv2d", "--shape", "6x24xx3"},
                "--shape: found '6x24xx3', expected the extents of the input");
  check_refused({"--op", "relu", "--shape", "6x0x4x1"}, "--shape: found '6x0x4x1'");
  check_refused({"--op", "relu", "--shape", "1x1x1x1x1"}, "--shape: found '1x1x1x1x1'");
  check_refused({"--op", "relu", "--shape", "2000000000x2000000000"}, "2^40 elements at most");
  check_refused({"--op", "conv2d", "--shape", "6x24x24"},
                "--shape 6x24x24: conv2d: found the shape 6x24x24, expected four extents");
  check_refused({"--op", "conv2d", "--shape", "1x8x8x3"}, "conv2d: found no kernel");
  check_refused({"--op", "conv2d", "--shape", "1x8x8x3", "--kernel", "3x3"},
                "--kernel: found '3x3', expected RxSxK");
  check_refused({"--op", "conv2d", "--shape", "1x8x8x3", "--kernel", "3x3x4", "--stride", "0"},
                "--stride: found '0', expected a number such as 2");
  check_refused({"--op", "conv2d", "--shape", "1x8x8x3", "--kernel", "3x3x4", "--padding", "some"},
                "--padding: found 'some', expected same, or 0 to 4096 pixels");
  check_refused({"--op", "relu", "--shape", "1x8x8x3", "--kernel", "3x3x4"},
                "--kernel is for conv2d, conv_transpose2d, and --op has relu; leave it out");
  check_refused({"--op", "group_norm", "--shape", "1x8x8x3", "--groups", "2"},
                "group_norm: found 2 groups for 3 channels, expected a divisor");
  check_refused({"--op", "conv2d", "--kernel", "3x3x4"}, "--kernel needs a --shape");
  check_refused({"--shape", "1x8x8x3"}, "--shape needs an --op, one or more of conv2d, ");
  check_refused({"--op", "softmax", "--shape", "4"},
                "--op: found 'softmax', expected one of conv2d");
  check_refused({"--op", "train_step", "--shape", "4"},
                "--op: found 'train_step', expected one of");
  check_refused({"--op", "relu", "--shape", "4", "--case", "relu"}, "give one of them");
  check_refused({"--op", "relu", "--shape", "4", "--size", "16"},
                "--size is for the rows of a training step");
  check_refused({"--op", "relu", "--shape", "4", "--phase", "wgrad"},
                "--op, --phase: none is left by 'relu' and 'wgrad' of the kernels relu_backward "
                "(backward), relu_forward (forward); choose of these");
  check_refused({"--op", "relu", "--shape", "x"}, "--shape: found 'x'");
  check_refused({"--list"}, "--list prints and writes nothing; leave it out, or --out");
  check_refused({"--op", "relu", "--shape", "1000000000000"}, "each 1 to 2147483648");
  check_refused({"--case", "relu.shaped"},
                "case: found no 'relu.shaped', expected a case, its group or its operation: "
                "relu.shapes[.1 to .6], relu.deferred[.1 to .3]");
  check_refused({"--case", "relu", "--op", "softmax"}, "--op: found 'softmax'");
  check_refused({"--op", "dice_loss"}, "give a --shape to time any other");
}

TEST_CASE("bench: --list and --help show what there is", "[cli]") {
  const Outcome list = run_glia({"bench", "--list"});
  CHECK(list.code == 0);
  for (const KernelInfo& kernel : kKernels) {
    CAPTURE(kernel.name);
    CHECK(contains(list, fmt::format("\n  {:<32} cpu", kernel.name)));
    CHECK(contains(list, fmt::format("\n{} --shape ", kernel.op)));
  }
  CHECK(contains(list, "conv2d --shape NxHxWxC --kernel RxSxK [--stride S] [--padding P]\n"));
  CHECK(contains(list, "\n  conv2d.windows                    20  windows, strides and paddings"));
  const Outcome help = run_glia({"bench", "--help"});
  CHECK(help.code == 0);
  for (const KernelInfo& kernel : kKernels) {
    CAPTURE(kernel.op);
    CHECK(contains(help, kernel.op));
  }
}
