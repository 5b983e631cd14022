// Plans that cuDNN builds for a GPU that is only described to it. What it compiles at run time
// needs a driver, so where there is none those plans are declined here and the next way is taken.
#if defined(GLIA_HAS_CUDNN)
#include <algorithm>

#include "kernels/cudnn/convolve.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

using cudnn::Image;
using cudnn::Pass;

/// An H100 in cuDNN's words.
constexpr const char* kH100 =
    R"({"deviceVer":900,"multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,)"
    R"("maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,)"
    R"("maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,)"
    R"("maxThreadsPerSM":2048,"regsPerBlock":65536,"totalGlobalMem":85899345920,)"
    R"("smClockRateKHz":1980000,"l2CacheSize":52428800,"maxBlockSize":[1024,1024,64],)"
    R"("memClockRateKHz":2619000,"maxGridSize":[2147483647,65535,65535],"supportCoopLaunch":1,)"
    R"("pciDeviceId":0,"isTccDriver":0,"cudaDeviceId":0,"driverVer":13000,"deviceName":"H100"})";

constexpr std::int64_t kBatch = 12, kExtent = 240, kBase = 64;
constexpr int kDepth = 4;

bool declined(const std::string& answer) {
  return answer.starts_with("declined");
}

/// In bf16, its target of type `stored`; aligned as the engine's tensors are.
std::vector<std::string> asked(Pass pass, const ConvGeometry& g, DType stored, bool bias = false,
                               Write write = Write::overwrite) {
  static float memory = 0;  // an address; nothing is read
  const auto image = [](std::int64_t N, std::int64_t H, std::int64_t W, std::int64_t C,
                        DType type) {
    Image result = cudnn::dense_image(N, H, W, C, type);
    result.data = reinterpret_cast<void*>(std::uintptr_t{256});
    return result;
  };
  const auto type_of = [&](Pass target) { return pass == target ? stored : DType::bf16; };
  return answers(kH100, ConvPrecision::bf16, pass, g,
                 {.image = image(g.N, g.H, g.W, g.C, type_of(Pass::dgrad)),
                  .filter = image(g.K, g.R, g.S, g.C, type_of(Pass::wgrad)),
                  .result = image(g.N, g.P, g.Q, g.K, type_of(Pass::forward)),
                  .bias = bias ? &memory : nullptr},
                 write);
}

std::string lines_of(const std::vector<std::string>& answers) {
  std::string lines;
  for (const std::string& answer : answers) lines += answer + "\n";
  return lines;
}

ConvGeometry window(std::int64_t extent, std::int64_t C, std::int64_t K) {
  return conv2d_geometry({kBatch, extent, extent, C}, {K, 3, 3, C},
                         {.padding = Padding::same(3, 3)});
}

ConvGeometry up(std::int64_t extent, std::int64_t C, std::int64_t K) {
  return conv2d_geometry({kBatch, extent, extent, C}, {K, 2, 2, C},
                         {.stride_h = 2, .stride_w = 2, .padding = {}});
}

/// The convolutions of the U-Net, base width 64, but for the head, which cuBLAS computes.
std::vector<ConvGeometry> layers() {
  std::vector<ConvGeometry> result;
  for (int level = 0; level <= kDepth; ++level) {
    const std::int64_t width = kBase << level, extent = kExtent >> level;
    result.push_back(window(extent, level == 0 ? 3 : width / 2, width));
    result.push_back(window(extent, width, width));
    if (level == kDepth) continue;
    result.push_back(window(extent, 2 * width, width));
    result.push_back(up(extent, width, 2 * width));
  }
  return result;
}

}  // namespace

TEST_CASE("cudnn: every convolution of the U-Net has a plan in bf16 on an H100", "[cuda]") {
  constexpr int kFirstLevel = 4;  // where there is a driver, wgrad's plans take seconds each
  int layer = 0;
  for (const ConvGeometry& g : layers()) {
    INFO(g.x_shape().str() << " * " << g.w_shape().str());
    for (const Pass pass : {Pass::forward, Pass::dgrad}) {
      const auto found = asked(pass, g, DType::bf16);
      INFO(lines_of(found));
      CHECK_FALSE(declined(found[0]));
      CHECK(found[0].find(", in bf16: engine") != std::string::npos);
    }
    if (layer++ >= kFirstLevel) continue;
    const auto found = asked(Pass::wgrad, g, DType::f32);
    INFO(lines_of(found));
    // As in the contract: float32, whatever it takes. At worst from copies in tf32.
    CHECK_FALSE(declined(found[2]));
    CHECK(found[2].find(", in tf32: engine") != std::string::npos);
  }
}

TEST_CASE("cudnn: in bf16 a bias, an odd shape and a sum of gradients have plans too", "[cuda]") {
  const ConvGeometry odd = window(30, 5, 7);
  for (const auto& found :
       {asked(Pass::dgrad, up(30, 256, 512), DType::bf16, true),
        asked(Pass::wgrad, odd, DType::f32), asked(Pass::forward, odd, DType::bf16, true),
        asked(Pass::dgrad, window(30, 64, 64), DType::bf16, false, Write::accumulate),
        asked(Pass::wgrad, window(30, 64, 64), DType::f32, false, Write::accumulate)}) {
    INFO(lines_of(found));
    CHECK(found.size() == 3);
    CHECK_FALSE(std::all_of(found.begin(), found.end(), declined));
  }
  // Added to in the plan itself, in fp32 before the one rounding.
  const auto sum = asked(Pass::dgrad, window(30, 64, 64), DType::bf16, false, Write::accumulate);
  CHECK(sum[0].find(", accumulating, in bf16: engine") != std::string::npos);
}

}  // namespace glia::test

#endif
