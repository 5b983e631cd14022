// glia kernel: from a .cu file to a verdict. What it finds of kernels that are right and of those
// that are not, and what it says of files that are none.
#include <algorithm>
#include <chrono>
#include <filesystem>

#include "engine/base/file.h"
#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

const std::string kHalo = std::string(GLIA_TEST_KERNELS) + "/halo3x3.cu";

bool has_emulator() {
#if defined(GLIA_TEST_JUDGE)
  return true;
#else
  WARN("skipped: this build has no emulator with a race checker");
  return false;
#endif
}

/// A file to judge, made of a right one by changing `part` once.
class Given {
 public:
  explicit Given(const std::string& text) { write_file_atomically(path(), text); }
  Given(std::string text, const std::string& part, const std::string& to) {
    const auto at = text.find(part);
    REQUIRE(at != std::string::npos);
    write_file_atomically(path(), text.replace(at, part.size(), to));
  }

  std::string path() const { return (folder_.path() / "mine.cu").string(); }
  Outcome judged_as(const std::string& kernel, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"kernel", path(), "--as", kernel};
    words.insert(words.end(), more.begin(), more.end());
    return run_glia(words);
  }

 private:
  TempFolder folder_;
};

std::string new_kernel(const std::string& name) {
  const Outcome outcome = run_glia({"kernel", "--new", name});
  REQUIRE(outcome.code == 0);
  return outcome.output;
}

std::string relu() {
  return new_kernel("relu.forward");
}

}  // namespace

TEST_CASE("kernel: every template has at most 40 lines, compiles and is right", "[cli][kernel]") {
  if (!has_emulator()) return;
  for (const char* name : {"relu.forward", "conv2d.forward", "conv2d.dgrad"}) {
    const std::string text = new_kernel(name);
    CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
    const Outcome outcome = Given(text).judged_as(name);
    CAPTURE(name, outcome.output);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome, std::string(name) + " by "));
    CHECK(contains(outcome, ": right ("));
    CHECK(contains(outcome, "cases without a report"));
    CHECK(contains(outcome, "shared memory  not used"));
    CHECK(contains(outcome, "device memory  "));
  }
}

TEST_CASE("kernel: a tiled convolution is right, leaves out what it declines, and is a plugin",
          "[cli][kernel]") {
  if (!has_emulator()) return;
  const TempFolder folder;
  const std::string library = (folder.path() / "halo.so").string();
  const Outcome outcome = run_glia({"kernel", kHalo, "--as", "conv2d.forward", "--out", library});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "halo3x3.cu: right ("));
  CHECK(contains(outcome, "cases left out: the kernel declines: only 3x3 of stride 1"));
  CHECK(contains(outcome, "shared memory  "));
  const Outcome row = run_glia({"bench",
                                "--backend",
                                "emu",
                                "--op",
                                "conv2d_forward",
                                "--shape",
                                "1x9x9x5",
                                "--kernel",
                                "3x3x6",
                                "--padding",
                                "1",
                                "--precision",
                                "fp32",
                                "--samples",
                                "1",
                                "--row-seconds",
                                "0",
                                "--flush-mib",
                                "1",
                                "--plugin",
                                library});
  CAPTURE(row.output);
  CHECK(row.code == 0);
  CHECK(contains(row, "halo3x3"));
}

TEST_CASE("kernel: without its second barrier it races, with both lines", "[cli][kernel]") {
  if (!has_emulator()) return;
  const Given given(read_file(kHalo), "    __syncthreads();  // and used", "    // and used");
  const Outcome outcome = given.judged_as("conv2d.forward");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "race: write at"));
  CHECK(contains(outcome, "is not ordered with the read at"));
  const auto first = outcome.output.find("mine.cu:");
  REQUIRE(first != std::string::npos);
  CHECK(outcome.output.find("mine.cu:", outcome.output.find("is not ordered")) !=
        std::string::npos);
}

TEST_CASE("kernel: one that is right for one slice of channels is told by its cases",
          "[cli][kernel]") {
  if (!has_emulator()) return;
  const Given given(read_file(kHalo), "c0 < g.C; c0 += kSlice", "c0 < kSlice; c0 += kSlice");
  const Outcome outcome = given.judged_as("conv2d.forward");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "wrong results"));
  CHECK(contains(outcome, "every case with C above"));
}

TEST_CASE("kernel: right for dense tensors or square images alone is said so", "[cli][kernel]") {
  if (!has_emulator()) return;
  const Outcome dense =
      Given(relu(), "y[row * y_pitch + c]", "y[row * channels + c]").judged_as("relu.forward");
  CAPTURE(dense.output);
  CHECK(dense.code == 1);
  CHECK(contains(dense, "dense tensors are right, channel slices are not"));
  const Outcome square =
      Given(new_kernel("conv2d.forward"), "(n * g.H + row) * g.W", "(n * g.H + row) * g.H")
          .judged_as("conv2d.forward");
  CAPTURE(square.output);
  CHECK(square.code == 1);
  CHECK(contains(square, "wrong results"));
}

TEST_CASE("kernel: one that swallows NaN is said to, and not to be wrong by channels",
          "[cli][kernel]") {
  if (!has_emulator()) return;
  const Outcome outcome =
      Given(relu(), "value < 0 ? 0 : value", "value > 0 ? value : 0").judged_as("relu.forward");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "right but for NaN"));
  CHECK_FALSE(contains(outcome, "and no other"));
}

TEST_CASE("kernel: writes outside are reported with their line", "[cli][kernel]") {
  if (!has_emulator()) return;
  const Outcome outcome =
      Given(relu(), "if (i >= rows * channels) return;", "").judged_as("relu.forward");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "out of bounds"));
  CHECK(contains(outcome, "mine.cu:"));
}

TEST_CASE("kernel: one that only calls ours is told apart, and so is one that launches nothing",
          "[cli][kernel]") {
  if (!has_emulator()) return;
  const std::string calls_ours =
      "#include \"kernels/cuda/kernels.h\"\n"
      "void relu_forward(glia::KernelContext& context, const glia::ReluForward& a) {\n"
      "  glia::GLIA_GPU::relu_forward(context, a);\n"
      "}\n";
  const Outcome ours = Given(calls_ours).judged_as("relu.forward");
  CAPTURE(ours.output);
  CHECK(ours.code == 1);
  CHECK(contains(ours, "relu.forward by "));
  CHECK(contains(ours, ": only Glia's own kernels ran, right ("));
  CHECK(contains(ours, "  Glia's own     relu_forward (kernels/cuda/"));
  CHECK(contains(ours, "in 6 of 6 cases: what is judged there is ours"));
  // Its own for some shapes, ours for others: right, and told.
  const Outcome both =
      Given("#include \"kernels/cuda/kernels.h\"\n" + relu(), "  gpu::launch(my_relu,",
            "  if (a.x.shape.numel() < 8) return glia::GLIA_GPU::relu_forward(context, a);\n"
            "  gpu::launch(my_relu,")
          .judged_as("relu.forward");
  CAPTURE(both.output);
  CHECK(contains(both, "  kernels        kernel (mine.cu:12)"));
  CHECK(contains(both, "  Glia's own     "));
  const Outcome host = Given(
                           "#include \"kernels/api/elementwise.h\"\n"
                           "#include \"kernels/api/context.h\"\n"
                           "void relu_forward(glia::KernelContext&, const glia::ReluForward&) {}\n")
                           .judged_as("relu.forward");
  CAPTURE(host.output);
  CHECK(host.code == 1);
  CHECK(contains(host, "no kernel was launched, wrong results"));
  CHECK(contains(host, "host code, which no GPU runs"));
}

TEST_CASE("kernel: cases for another arithmetic are named", "[cli][kernel]") {
  if (!has_emulator()) return;
  const std::string text = new_kernel("conv2d.forward");
  const Outcome fp32 = Given(text).judged_as("conv2d.forward");
  CAPTURE(fp32.output);
  CHECK(contains(fp32, "not judged in this arithmetic: conv2d.bf16-channels, conv2d.bf16-pieces"));
  CHECK(contains(fp32, "conv2d.tf32-windows"));
  const Outcome tf32 = Given(text).judged_as("conv2d.forward", {"--precision", "tf32"});
  CAPTURE(tf32.output);
  CHECK(tf32.code == 0);
  CHECK(contains(tf32, "not judged in this arithmetic: conv2d."));
  CHECK_FALSE(contains(tf32, "conv2d.tf32-windows"));
}

TEST_CASE("kernel: with nvcc its registers and spills, with cuobjdump its instructions",
          "[cli][kernel]") {
  if (!has_emulator()) return;
  // Stand-ins, so that it is known what they say.
  const TempFolder folder;
  const auto program = [&](const std::string& name, const std::string& says) {
    const auto file = folder.path() / name;
    write_file_atomically(file, "#!/bin/sh\ncat <<'END'\n" + says + "END\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  };
  program("nvcc",
          "ptxas info    : Compiling entry function 'mine' for 'sm_90'\n"
          "    0 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads\n"
          "ptxas info    : Used 72 registers, used 1 barriers\n");
  const Given given(relu());
  const std::string judged = " \"$GLIA\" kernel " + given.path() + " --as relu.forward";
  const std::string path = "PATH=" + folder.path().string() + ":/usr/bin:/bin ";
  const Outcome without = run_shell(path + "CUOBJDUMP=/no/such/cuobjdump" + judged);
  CAPTURE(without.output);
  CHECK(without.code == 0);
  CHECK(contains(without, "  sm_90          72 registers, 8 bytes of spills (mine)"));
  CHECK(contains(without, "need /no/such/cuobjdump, which is not found"));
  program("cuobjdump",
          "\t\tFunction : mine\n"
          "        /*0000*/                   LDC R1, c[0x0][0x28] ;   /* 0x0 */\n"
          "        /*0010*/              @!P0 LDG.E R2, desc[UR4][R2.64] ;\n"
          "        /*0020*/                   FFMA R2, R2, R3, R4 ;\n"
          "        /*0030*/                   HMMA.16816.F32 R4, R8, R2, R4 ;\n"
          "        /*0040*/                   NOP;\n");
  const Outcome with = run_shell(path + judged);
  CAPTURE(with.output);
  CHECK(contains(with,
                 "  sm_90          4 instructions: 25 % tensor cores, 25 % fp32, 25 % device "
                 "memory, 25 % others (mine)"));
}

TEST_CASE("kernel: larger blocks than its launch bounds are refused", "[cli][kernel]") {
  if (!has_emulator()) return;
  const Outcome outcome =
      Given(relu(), ".block = kThreads", ".block = 2 * kThreads").judged_as("relu.forward");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "the kernel was compiled for at most 128 (its __launch_bounds__)"));
}

TEST_CASE("kernel: one that never ends is stopped", "[cli][kernel]") {
  if (!has_emulator()) return;
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome =
      Given(relu(), "const float value =",
            "for (volatile int forever = 1; forever;) {}\n  const float value =")
          .judged_as("relu.forward", {"--case-seconds", "2"});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, "no end after 2 s (--case-seconds)"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

TEST_CASE("kernel: what does not compile is told by the compiler's words and line, and no more",
          "[cli][kernel]") {
  if (!has_emulator()) return;
  const Given given(relu(), "const float value = x[row", "const float value = z[row");
  const Outcome outcome = given.judged_as("relu.forward");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.starts_with(given.path() + ": In function"));
  CHECK(contains(outcome, given.path() + ":15:"));
  CHECK(contains(outcome, "error: "));
  CHECK_FALSE(contains(outcome, "entry.cu"));
  CHECK_FALSE(contains(outcome, "relu.forward by"));
}

TEST_CASE("kernel: another signature, no function, and no such kernel", "[cli][kernel]") {
  if (!has_emulator()) return;
  const Outcome other = Given("void relu_forward(int) {}\n").judged_as("relu.forward");
  CAPTURE(other.output);
  CHECK(other.code == 1);
  CHECK(contains(other,
                 "mine.cu: expected the function void relu_forward(glia::KernelContext&, const "
                 "glia::ReluForward&) at global scope, found void relu_forward(int)\n"));
  // Errors in its body do not hide it.
  const Outcome body =
      Given(relu(), "const ReluForward& a", "const ReluBackward& a").judged_as("relu.forward");
  CAPTURE(body.output);
  CHECK(contains(body,
                 "glia::ReluForward&) at global scope, found relu_forward(KernelContext& context, "
                 "const ReluBackward& a)\n"));
  CHECK(contains(body, "error: "));
  const Outcome none = Given("int x;\n").judged_as("relu.forward");
  CAPTURE(none.output);
  CHECK(contains(none, "at global scope, found none named relu_forward\n"));
  const Outcome unknown = Given(relu()).judged_as("softmax");
  CHECK(unknown.code == 1);
  CHECK(contains(unknown, "--as: found 'softmax', expected one of conv2d.forward, conv2d.dgrad"));
  const Outcome near = Given(relu()).judged_as("relu.sideways");
  CHECK(contains(near, "expected one of relu.forward, relu.backward\n"));
  const Outcome no_template = run_glia({"kernel", "--new", "softmax"});
  CHECK(no_template.code == 1);
  CHECK(contains(no_template, "--new: found 'softmax', expected one of conv2d.dgrad"));
  const Outcome missing = run_glia({"kernel", "/no/such.cu", "--as", "relu.forward"});
  CHECK(missing.code == 1);
  CHECK(contains(missing, "there is no file /no/such.cu"));
}
