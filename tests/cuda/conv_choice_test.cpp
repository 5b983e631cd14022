// How GPU convolutions are divided: pure functions, so these run without a GPU.
#include "kernels/cuda/conv/conv_choice.h"

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "tests/catch.h"

namespace glia::test {

namespace {

constexpr int kH100 = 132;

ConvGeometry geometry(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
                      const ConvSpec& spec) {
  return conv2d_geometry(x, {k, r, s, x[3]}, spec);
}

/// A GPU of so many multiprocessors.
struct Gpu : KernelContext {
  explicit Gpu(int count = kH100, ConvPrecision wanted = ConvPrecision::fp32) {
    multiprocessors = count;
    precision = wanted;
  }
};

struct GpuInTf32 : Gpu {
  GpuInTf32() : Gpu(kH100, ConvPrecision::tf32) {}
};

struct GpuInBf16 : Gpu {
  GpuInBf16() : Gpu(kH100, ConvPrecision::bf16) {}
};

int columns_of(const GemmShape& shape, int multiprocessors = kH100) {
  return kGemmTiles[choose_gemm(Gpu(multiprocessors), shape).tile].columns;
}

}  // namespace

TEST_CASE("conv choice: the parts of dgrad hold every pixel and every product once", "[cuda]") {
  const ConvGeometry cases[] = {
      geometry({1, 6, 7, 1}, 1, 3, 3, {.padding = Padding::all(1)}),
      geometry({1, 9, 8, 1}, 1, 3, 3, {.stride_h = 2, .stride_w = 2, .padding = Padding::all(1)}),
      geometry({1, 9, 11, 1}, 1, 3, 4, {.stride_h = 2, .stride_w = 3, .padding = {1, 0, 2, 3}}),
      geometry({1, 6, 6, 1}, 1, 2, 2, {.stride_h = 3, .stride_w = 3, .padding = {}}),
      geometry({1, 8, 6, 1}, 1, 2, 2, {.stride_h = 2, .stride_w = 2, .padding = {}}),
      geometry({1, 3, 2, 1}, 1, 5, 3, {.padding = Padding::all(2)}),
      geometry({1, 2, 2, 1}, 1, 2, 2, {.stride_h = 2, .stride_w = 2, .padding = {1, 0, 1, 0}}),
      geometry({1, 2, 1, 1}, 1, 1, 1, {.stride_h = 5, .stride_w = 3, .padding = {4, 0, 2, 0}}),
  };
  for (const ConvGeometry& g : cases) {
    using Product = std::array<std::int64_t, 6>;  // h, w, p, q, r, s
    std::set<Product> expected, found;
    for (std::int64_t p = 0; p < g.P; ++p)
      for (std::int64_t q = 0; q < g.Q; ++q)
        for (std::int64_t r = 0; r < g.R; ++r)
          for (std::int64_t s = 0; s < g.S; ++s) {
            const std::int64_t h = p * g.stride_h + r - g.pad_top;
            const std::int64_t w = q * g.stride_w + s - g.pad_left;
            if (h >= 0 && h < g.H && w >= 0 && w < g.W) expected.insert({h, w, p, q, r, s});
          }
    std::set<std::array<std::int64_t, 2>> pixels;
    std::int64_t written = 0, twice = 0;
    for (const DgradPart& part : dgrad_parts(g))
      for (std::int64_t i = 0; i < part.rows; ++i)
        for (std::int64_t j = 0; j < part.columns; ++j) {
          const std::int64_t h = part.first_h + i * g.stride_h;
          const std::int64_t w = part.first_w + j * g.stride_w;
          pixels.insert({h, w});
          ++written;
          for (std::int64_t t = 0; t < part.taps_h; ++t)
            for (std::int64_t u = 0; u < part.taps_w; ++u) {
              const std::int64_t p = i + part.offset_h + t, q = j + part.offset_w + u;
              if (p < 0 || p >= g.P || q < 0 || q >= g.Q) continue;
              const std::int64_t r = part.last_r - t * g.stride_h;
              const std::int64_t s = part.last_s - u * g.stride_w;
              twice += !found.insert({h, w, p, q, r, s}).second;
            }
        }
    INFO("x " << g.x_shape().str() << ", w " << g.w_shape().str() << ", stride " << g.stride_h
              << "x" << g.stride_w);
    CHECK(written == g.H * g.W);
    CHECK(pixels.size() == static_cast<std::size_t>(g.H * g.W));
    CHECK(twice == 0);
    CHECK((found == expected));
  }
}

TEST_CASE("conv choice: a pixel shuffle only where windows tile the input", "[cuda]") {
  const ConvSpec by2{.stride_h = 2, .stride_w = 2, .padding = {}};
  CHECK(windows_tile_input(geometry({2, 8, 6, 3}, 4, 2, 2, by2)));
  CHECK(windows_tile_input(geometry({2, 7, 5, 3}, 4, 1, 1, {})));
  CHECK_FALSE(windows_tile_input(geometry({2, 9, 6, 3}, 4, 2, 2, by2)));  // a row is left over
  CHECK_FALSE(windows_tile_input(geometry({2, 8, 6, 3}, 4, 3, 3, by2)));  // overlap
  CHECK_FALSE(windows_tile_input(geometry({2, 8, 6, 3}, 4, 1, 1, by2)));  // gaps
  CHECK_FALSE(windows_tile_input(geometry({2, 8, 6, 3}, 4, 2, 2, {.padding = Padding::all(1)})));
  const ConvGeometry up = conv_transpose2d_geometry({2, 5, 6, 8}, {8, 2, 2, 4}, by2);
  CHECK(choose_algorithm(Gpu(), ConvPass::dgrad, up) == ConvAlgorithm::shuffled);
  CHECK(choose_algorithm(Gpu(), ConvPass::forward, up) == ConvAlgorithm::tiled);
  CHECK(choose_algorithm(Gpu(), ConvPass::wgrad, up) == ConvAlgorithm::tiled);
}

TEST_CASE("conv choice: what tests impose is obeyed, where it fits", "[cuda]") {
  const ConvGeometry same = geometry({1, 8, 6, 3}, 4, 3, 3, {.padding = Padding::all(1)});
  const ConvGeometry up = geometry({1, 8, 6, 3}, 4, 1, 1, {});
  Gpu context;
  context.gpu_conv = {.algorithm = ConvAlgorithm::naive};
  CHECK(choose_algorithm(context, ConvPass::forward, same) == ConvAlgorithm::naive);
  CHECK(choose_algorithm(context, ConvPass::dgrad, up) == ConvAlgorithm::naive);
  context.gpu_conv = {.algorithm = ConvAlgorithm::tiled, .tile = 1, .splits = 5};
  CHECK(choose_algorithm(context, ConvPass::dgrad, up) == ConvAlgorithm::tiled);
  CHECK(choose_gemm(context, {1, 1, 1}).tile == 1);
  CHECK(choose_gemm(context, {1, 1, 1}).splits == 5);
  context.gpu_conv = {.tile = 2, .splits = 3};
  CHECK(choose_mma(context, {1, 1, 1}, true).tile == 2);
  CHECK(choose_mma(context, {1, 1, 1}, true).splits == 3);
  CHECK(choose_mma(context, {1, 1, 1}, false).tile == kMmaTileCount - 1);
  // Not one that there is only elsewhere.
  context.gpu_conv = {.tile = 5};
  CHECK(choose_gemm(context, {1, 1, 1}).tile < kGemmTileCount);
  CHECK(choose_mma(context, {1, 1, 1}, true).tile < kMmaTileCount);
}

TEST_CASE("conv choice: windows beyond the tables' bits are computed without them", "[cuda]") {
  CHECK(choose_algorithm(Gpu(), ConvPass::forward, geometry({1, 16, 16, 8}, 8, 16, 16, {})) ==
        ConvAlgorithm::tiled);
  CHECK(choose_algorithm(GpuInTf32(), ConvPass::forward, geometry({1, 17, 3, 8}, 8, 17, 1, {})) ==
        ConvAlgorithm::naive);
}

TEST_CASE("conv choice: tensor cores compute all of a U-Net but its first layer and its head",
          "[cuda]") {
  const auto same = [](std::int64_t size, std::int64_t c, std::int64_t k) {
    return geometry({12, size, size, c}, k, 3, 3, {.padding = Padding::all(1)});
  };
  const auto of = [](ConvPass pass, const ConvGeometry& g) {
    return choose_algorithm(GpuInTf32(), pass, g);
  };
  for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad, ConvPass::wgrad}) {
    CHECK(of(pass, same(240, 3, 64)) == ConvAlgorithm::tiled);
    CHECK_FALSE(is_on_tensor_cores(of(pass, geometry({12, 240, 240, 64}, 1, 1, 1, {}))));
    std::int64_t size = 240;
    for (std::int64_t channels = 64; channels <= 1024; channels *= 2, size /= 2) {
      CHECK(is_on_tensor_cores(of(pass, same(size, channels, channels))));
      CHECK(choose_algorithm(Gpu(), pass, same(size, channels, channels)) == ConvAlgorithm::tiled);
    }
    CHECK(of(pass, same(30, 6, 64)) == ConvAlgorithm::tiled);  // no copies of 16 bytes
    CHECK(of(pass, same(30, 64, 4)) == ConvAlgorithm::tiled);  // half a fragment
  }
  const ConvGeometry up = conv_transpose2d_geometry({12, 15, 15, 1024}, {1024, 2, 2, 512},
                                                    {.stride_h = 2, .stride_w = 2, .padding = {}});
  CHECK(of(ConvPass::dgrad, up) == ConvAlgorithm::shuffled_mma);
  CHECK(of(ConvPass::forward, up) == ConvAlgorithm::mma);
  CHECK(of(ConvPass::wgrad, up) == ConvAlgorithm::mma);
}

TEST_CASE("conv choice: in bf16 tensor cores compute every convolution, and their name says so",
          "[cuda]") {
  const ConvGeometry up = conv_transpose2d_geometry({12, 15, 15, 1024}, {1024, 2, 2, 512},
                                                    {.stride_h = 2, .stride_w = 2, .padding = {}});
  const GpuInBf16 context;
  for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad, ConvPass::wgrad}) {
    for (const auto& [c, k] : {std::pair(3, 32), std::pair(96, 96), std::pair(5, 7)})
      CHECK(choose_algorithm(context, pass,
                             geometry({12, 30, 30, c}, k, 3, 3, {.padding = Padding::all(1)})) ==
            ConvAlgorithm::mma);
    CHECK(choose_algorithm(context, pass, geometry({12, 240, 240, 64}, 1, 1, 1, {})) ==
          (pass == ConvPass::dgrad ? ConvAlgorithm::shuffled_mma : ConvAlgorithm::mma));
    CHECK(choose_algorithm(context, pass, geometry({1, 17, 3, 8}, 8, 17, 1, {})) ==
          ConvAlgorithm::naive);
    CHECK(is_on_tensor_cores(choose_algorithm(context, pass, up)));
  }
  const auto name = [&](KernelId id, const ConvGeometry& g, const KernelContext& on) {
    return std::string(conv_algorithm(on, kKernels[static_cast<std::size_t>(id)], g));
  };
  const ConvGeometry layer = geometry({2, 9, 9, 8}, 8, 3, 3, {});
  CHECK(name(KernelId::conv2d_forward, layer, context) == "mma-bf16");
  CHECK(name(KernelId::conv2d_wgrad, layer, context) == "mma-bf16");
  CHECK(name(KernelId::conv_transpose2d_forward, up, context) == "shuffled-mma-bf16");
  CHECK(name(KernelId::conv2d_forward, layer, GpuInTf32()) == "mma-tf32");
  Gpu imposed(kH100, ConvPrecision::bf16);
  imposed.gpu_conv = {.algorithm = ConvAlgorithm::naive};
  CHECK(name(KernelId::conv2d_dgrad, layer, imposed) == "naive");
}

TEST_CASE("conv choice: patches of the input for windows of 3x3 where channels fill chunks",
          "[cuda]") {
  const auto same = [](std::int64_t size, std::int64_t c, std::int64_t k) {
    return geometry({12, size, size, c}, k, 3, 3, {.padding = Padding::all(1)});
  };
  const GpuInBf16 context;
  std::int64_t size = 240;
  for (std::int64_t channels = 64; channels <= 512; channels *= 2, size /= 2) {
    const ConvGeometry g = same(size, channels, channels);
    CHECK(choose_algorithm(context, ConvPass::forward, g) == ConvAlgorithm::halo);
    CHECK(choose_algorithm(context, ConvPass::dgrad, g) == ConvAlgorithm::halo);
    CHECK(choose_algorithm(context, ConvPass::wgrad, g) == ConvAlgorithm::halo);
    // Faster by the model, or it would not be taken.
    Gpu gathered(kH100, ConvPrecision::bf16);
    gathered.gpu_conv = {.algorithm = ConvAlgorithm::mma};
    for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad, ConvPass::wgrad}) {
      CHECK(forecast(gathered, pass, g).algorithm == ConvAlgorithm::mma);
      CHECK(forecast(context, pass, g).cycles < forecast(gathered, pass, g).cycles);
    }
    CHECK(choose_algorithm(GpuInTf32(), ConvPass::wgrad, g) == ConvAlgorithm::mma);
  }
  // In tf32, forward and dgrad.
  for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad})
    CHECK(choose_algorithm(GpuInTf32(), pass, same(120, 128, 128)) == ConvAlgorithm::halo);
  CHECK(fits_halo(ConvPrecision::tf32, ConvPass::forward, same(60, 32, 64)));
  CHECK_FALSE(fits_halo(ConvPrecision::tf32, ConvPass::forward, same(60, 8, 64)));
  CHECK_FALSE(fits_halo(ConvPrecision::fp32, ConvPass::forward, same(60, 64, 64)));
  // GPUs with less shared memory for a block take what fits: 99 KiB are those of 8.6, 8.9 and 12.0.
  for (const std::int64_t kib : {0, 227, 163, 99, 64}) {
    Gpu small(kH100, ConvPrecision::bf16);
    small.block_memory = kib * 1024;
    const auto takes = [&](ConvPass pass, const ConvGeometry& g) {
      return choose_algorithm(small, pass, g) == ConvAlgorithm::halo;
    };
    const bool wide = kib == 0 || kib >= 163, any = wide || kib == 99;
    const ConvGeometry narrow = same(240, 64, 64), deep = same(120, 128, 128);
    for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad}) {
      CHECK(takes(pass, narrow) == any);
      CHECK((!takes(pass, deep) || any));
      CHECK((takes(pass, deep) || !wide));
    }
    CHECK(takes(ConvPass::wgrad, deep) == wide);
    const GemmShape shape = halo_shape(deep, ConvPass::forward);
    CHECK(choose_halo(small, ConvPass::forward, shape, true).tile == kHaloTiles[wide ? 0 : 1]);
  }
  // Chunks are of 64 channels: of x forward, of dy in dgrad. At most eight are filled up.
  for (const std::int64_t channels : {1, 3, 8})
    CHECK(choose_algorithm(context, ConvPass::forward, same(240, channels, 64)) ==
          ConvAlgorithm::halo);
  CHECK(choose_algorithm(context, ConvPass::dgrad, same(240, 64, 3)) == ConvAlgorithm::mma);
  CHECK(choose_algorithm(context, ConvPass::forward, same(60, 9, 64)) == ConvAlgorithm::mma);
  CHECK(choose_algorithm(context, ConvPass::forward, same(60, 32, 64)) == ConvAlgorithm::mma);
  CHECK(fits_halo(ConvPrecision::bf16, ConvPass::dgrad, same(60, 32, 64)));
  // And of both there in wgrad.
  CHECK(fits_halo(ConvPrecision::bf16, ConvPass::wgrad, same(60, 64, 128)));
  CHECK_FALSE(fits_halo(ConvPrecision::bf16, ConvPass::wgrad, same(60, 64, 96)));
  CHECK_FALSE(fits_halo(ConvPrecision::bf16, ConvPass::wgrad, same(60, 32, 64)));
  const ConvSpec strided{.stride_h = 2, .padding = {}};
  CHECK_FALSE(fits_halo(ConvPrecision::bf16, ConvPass::forward,
                        geometry({1, 9, 9, 64}, 64, 3, 3, strided)));
  CHECK_FALSE(
      fits_halo(ConvPrecision::bf16, ConvPass::forward, geometry({1, 9, 9, 64}, 64, 5, 5, {})));
  // Positions fill whole patches.
  CHECK(halo_shape(same(15, 64, 128), ConvPass::forward).rows == 12 * 2 * 1 * 128);
  CHECK(halo_shape(same(17, 64, 128), ConvPass::dgrad).rows == 12 * 3 * 2 * 128);
  CHECK(halo_shape(same(17, 64, 128), ConvPass::dgrad).columns == 64);
  CHECK(halo_shape(same(17, 64, 128), ConvPass::wgrad).rows == 128);
  CHECK(halo_shape(same(17, 64, 128), ConvPass::wgrad).columns == 9 * 64);
  CHECK(halo_shape(same(17, 64, 128), ConvPass::wgrad).depth == 12 * 2 * 2 * 240);
  // One block of it has a multiprocessor to itself: the splits make nearly as many blocks.
  const ConvForecast wide = forecast(context, ConvPass::wgrad, same(240, 64, 64));
  CHECK(wide.blocks > 0.9 * kH100);
  CHECK(wide.blocks <= kH100);
}

TEST_CASE("conv choice: a forecast of bf16 is of half the bytes and twice the rate", "[cuda]") {
  const ConvGeometry g = geometry({12, 120, 120, 128}, 128, 3, 3, {.padding = Padding::all(1)});
  for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad, ConvPass::wgrad}) {
    Gpu in_tf32(kH100, ConvPrecision::tf32), in_bf16(kH100, ConvPrecision::bf16);
    in_tf32.gpu_conv = in_bf16.gpu_conv = {.algorithm = ConvAlgorithm::mma};
    const double tf32 = forecast(in_tf32, pass, g).cycles;
    const double bf16 = forecast(in_bf16, pass, g).cycles;
    CHECK(tf32 > 1.7 * bf16);
    CHECK(tf32 < 2.5 * bf16);
  }
  // Three channels come one by one, which the smallest tile does alone.
  const ConvGeometry first = geometry({12, 240, 240, 3}, 64, 3, 3, {.padding = Padding::all(1)});
  const MmaTile& smallest = kMmaTiles[kMmaTileCount - 1];
  Gpu gathered(kH100, ConvPrecision::bf16);
  gathered.gpu_conv = {.algorithm = ConvAlgorithm::mma};
  CHECK(forecast(gathered, ConvPass::forward, first).rows == smallest.rows);
  CHECK(forecast(GpuInBf16(), ConvPass::wgrad, first).columns == smallest.columns);
}

TEST_CASE("conv choice: tiles of tensor cores fit the product and the device", "[cuda]") {
  const auto tile = [](const GemmShape& shape, int multiprocessors = kH100) {
    const GemmChoice choice = choose_mma(Gpu(multiprocessors), shape, true);
    return std::pair(kMmaTiles[choice.tile].rows, kMmaTiles[choice.tile].columns);
  };
  const std::int64_t pixels = 12 * 240 * 240;
  CHECK(tile({pixels, 64, 9 * 64}) == std::pair(256, 64));
  CHECK(tile({pixels / 4, 128, 9 * 128}) == std::pair(128, 128));
  CHECK(tile({1, 1, 1}) == std::pair(64, 32));
  // wgrad of the first level: few tiles, and pixels to split.
  CHECK(tile({64, 9 * 64, pixels}) == std::pair(64, 256));
  CHECK(choose_mma(Gpu(), {64, 9 * 64, pixels}, true).splits > 10);
  // At 15x15 176 blocks of 128x128 would leave a third of the second wave idle.
  const GemmChoice middle = choose_mma(Gpu(), {2700, 1024, 9 * 1024}, true);
  const MmaTile& chosen = kMmaTiles[middle.tile];
  const std::int64_t blocks =
      (2700 + chosen.rows - 1) / chosen.rows * (1024 / chosen.columns) * middle.splits;
  CHECK((blocks % kH100 == 0 || blocks % kH100 > kH100 / 2));
  CHECK(blocks > 2 * kH100);
}

TEST_CASE("conv choice: tiles fit the number of columns", "[cuda]") {
  const std::int64_t pixels = 6 * 240 * 240;
  CHECK(columns_of({pixels, 1, 64}) == 32);
  CHECK(columns_of({pixels, 32, 288}) == 32);
  CHECK(columns_of({pixels, 64, 576}) == 64);
  // Waves of blocks favour the narrow tile by a hair, its traffic does not.
  CHECK(columns_of({12 * 60 * 60, 256, 9 * 256}) == 64);
  CHECK(choose_gemm(Gpu(kH100), {1, 1, 1}).tile == kGemmTileCount - 1);
  CHECK(choose_gemm(Gpu(4), {12, 5, 27}).tile == kGemmTileCount - 1);
  CHECK(choose_gemm(Gpu(0), {0, 0, 0}).splits == 1);  // nothing to do, nothing known of the device
}

TEST_CASE("conv choice: a forecast is of the kernels that would run", "[cuda]") {
  const ConvGeometry g = geometry({12, 120, 120, 128}, 128, 3, 3, {.padding = Padding::all(1)});
  for (const ConvPass pass : {ConvPass::forward, ConvPass::dgrad, ConvPass::wgrad}) {
    const ConvForecast fp32 = forecast(Gpu(), pass, g), tf32 = forecast(GpuInTf32(), pass, g);
    CHECK(is_on_tensor_cores(tf32.algorithm));
    CHECK(fp32.algorithm == ConvAlgorithm::tiled);
    CHECK(tf32.blocks >= kH100);
    CHECK(tf32.cycles > 0);
    CHECK(fp32.cycles > 3 * tf32.cycles);
    // Half the multiprocessors take longer.
    CHECK(forecast(Gpu(kH100 / 2, ConvPrecision::tf32), pass, g).cycles > tf32.cycles);
  }
  // With strides dgrad is a product a residue.
  const ConvGeometry strided =
      geometry({2, 9, 9, 16}, 16, 3, 3, {.stride_h = 2, .stride_w = 2, .padding = Padding::all(1)});
  CHECK(dgrad_parts(strided).size() == 4);
  CHECK(forecast(GpuInTf32(), ConvPass::dgrad, strided).blocks >= 4);
}

TEST_CASE("conv choice: splits fill the device and stay in bounds", "[cuda]") {
  const std::int64_t pixels = 6 * 240 * 240;
  // wgrad of the first level: five tiles for 132 multiprocessors.
  CHECK(choose_gemm(Gpu(kH100), {576, 64, pixels}).splits > 20);
  // Enough tiles: splitting would only add traffic.
  CHECK(choose_gemm(Gpu(kH100), {pixels, 64, 576}).splits == 1);
  for (const GemmShape& shape :
       {GemmShape{pixels, 64, 27}, GemmShape{27, 64, pixels}, GemmShape{64, 1, pixels},
        GemmShape{1350, 1024, 9216}, GemmShape{9216, 1024, 1350}, GemmShape{36864, 1024, 64},
        GemmShape{5400, 2048, 1024}, GemmShape{12, 130, 630}})
    for (int multiprocessors : {1, 4, 68, 108, 132}) {
      const GemmChoice choice = choose_gemm(Gpu(multiprocessors), shape);
      INFO(shape.rows << "x" << shape.columns << "x" << shape.depth << " on " << multiprocessors);
      CHECK(choice.splits >= 1);
      CHECK((choice.splits == 1 || choice.splits * kGemmSlice * 8 <= shape.depth + kGemmSlice));
      CHECK((choice.splits == 1 ||
             choice.splits * shape.rows * shape.columns * 4 <= std::int64_t{128} << 20));
      // A pure function: the same choice, hence the same sums, every time.
      CHECK(choose_gemm(Gpu(multiprocessors), shape).tile == choice.tile);
      CHECK(choose_gemm(Gpu(multiprocessors), shape).splits == choice.splits);
    }
}

TEST_CASE("conv choice: 16 bytes at a time only where all addresses allow it", "[cuda]") {
  alignas(16) float data[64] = {};
  const auto view = [&](int offset, std::int64_t channels, std::int64_t pitch, DType dtype) {
    View v;
    v.data = reinterpret_cast<std::byte*>(data) + offset * static_cast<int>(size_of(dtype));
    v.shape = {1, 1, 2, channels};
    v.pitch = pitch;
    v.dtype = dtype;
    return v;
  };
  CHECK(in_pieces(view(0, 4, 4, DType::f32)));
  CHECK(in_pieces(view(4, 8, 16, DType::f32)));
  CHECK_FALSE(in_pieces(view(3, 4, 8, DType::f32)));
  CHECK_FALSE(in_pieces(view(0, 4, 9, DType::f32)));
  CHECK_FALSE(in_pieces(view(0, 3, 4, DType::f32)));
  CHECK(in_pieces(view(0, 8, 8, DType::bf16)));
  CHECK(in_pieces(view(8, 16, 24, DType::bf16)));
  CHECK_FALSE(in_pieces(view(4, 8, 8, DType::bf16)));
  CHECK_FALSE(in_pieces(view(0, 8, 12, DType::bf16)));
  CHECK_FALSE(in_pieces(view(0, 4, 8, DType::bf16)));
}

}  // namespace glia::test
