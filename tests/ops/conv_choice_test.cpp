// How CPU convolutions run and are divided: pure functions.
#include "kernels/cpu/conv/conv_choice.h"

#include "kernels/cpu/conv/winograd_tiles.h"
#include "kernels/cpu/table.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

constexpr KernelId kForward = KernelId::conv2d_forward, kDgrad = KernelId::conv2d_dgrad,
                   kWgrad = KernelId::conv2d_wgrad;
constexpr KernelId kPasses[] = {kForward, kDgrad, kWgrad};

ConvGeometry square(std::int64_t images, std::int64_t size, std::int64_t c, std::int64_t k,
                    const ConvSpec& spec = {.padding = Padding::all(1)}, std::int64_t window = 3) {
  return conv2d_geometry({images, size, size, c}, {k, window, window, c}, spec);
}

bool takes_winograd(ConvMethod method, KernelId pass, const ConvGeometry& g) {
  KernelContext context;
  context.conv = method;
  return cpu::choose(context, pass, g) == cpu::ConvWay::winograd;
}

bool automatic(KernelId pass, const ConvGeometry& g) {
  return takes_winograd(ConvMethod::automatic, pass, g);
}

}  // namespace

TEST_CASE("conv choice: Winograd fits windows of 3x3 with stride 1 and nothing else", "[ops]") {
  CHECK(cpu::winograd_fits(square(1, 8, 1, 1)));
  CHECK(cpu::winograd_fits(square(1, 8, 5, 7, {})));
  CHECK_FALSE(cpu::winograd_fits(square(1, 8, 32, 32, {}, 1)));
  CHECK_FALSE(cpu::winograd_fits(square(1, 8, 32, 32, {.padding = Padding::all(2)}, 5)));
  CHECK_FALSE(cpu::winograd_fits(square(1, 9, 32, 32, {.stride_h = 2, .padding = {}})));
  CHECK_FALSE(cpu::winograd_fits(square(1, 9, 32, 32, {.stride_w = 2, .padding = {}})));
  CHECK_FALSE(cpu::winograd_fits(conv2d_geometry({1, 8, 8, 4}, {4, 3, 1, 4}, {})));
}

TEST_CASE("conv choice: direct and winograd are obeyed, where they fit", "[ops]") {
  const ConvGeometry large = square(6, 240, 32, 32), tiny = square(1, 1, 1, 1);
  const ConvGeometry strided =
      square(6, 240, 32, 32, {.stride_h = 2, .stride_w = 2, .padding = {}});
  for (const KernelId pass : kPasses) {
    CHECK_FALSE(takes_winograd(ConvMethod::direct, pass, large));
    CHECK(takes_winograd(ConvMethod::winograd, pass, tiny));
    CHECK_FALSE(takes_winograd(ConvMethod::winograd, pass, strided));
  }
}

TEST_CASE("conv choice: auto takes Winograd for the layers of a U-Net and not for small work",
          "[ops]") {
  std::int64_t size = 240;
  for (std::int64_t channels = 32; channels <= 512; channels *= 2, size /= 2)
    for (const KernelId pass : kPasses) {
      CHECK(automatic(pass, square(6, size, channels, channels)));
      CHECK(automatic(pass, square(1, 8, channels, channels)));
      CHECK_FALSE(automatic(pass, square(1, 4, channels, channels)));
    }
  // The first layer: three channels are too few to sum over, or to fill vectors of transforms.
  const ConvGeometry first = square(6, 240, 3, 32);
  CHECK_FALSE(automatic(kForward, first));
  CHECK(automatic(kDgrad, first));
  CHECK_FALSE(automatic(kWgrad, first));
  // dgrad's tiles are those of x: 4 x 4 pixels from 6 x 6, and back.
  CHECK_FALSE(automatic(kForward, square(1, 6, 64, 64, {})));
  CHECK(automatic(kDgrad, square(1, 6, 64, 64, {})));
}

TEST_CASE("conv choice: the way of every kind of layer", "[ops]") {
  struct Row {
    KernelId kernel;
    ConvGeometry geometry;
    cpu::ConvWay fp32;
  };
  using enum KernelId;
  const ConvGeometry wide = square(6, 60, 128, 128), head = square(6, 240, 32, 1, {}, 1),
                     strided = square(2, 9, 16, 16, {.stride_h = 2, .stride_w = 2, .padding = {}}),
                     up = square(6, 30, 64, 128, {.stride_h = 2, .stride_w = 2, .padding = {}}, 2),
                     odd_up =
                         square(6, 30, 24, 48, {.stride_h = 2, .stride_w = 2, .padding = {}}, 2);
  using cpu::ConvWay;
  for (const Row& row :
       {Row{conv2d_forward, wide, ConvWay::winograd}, Row{conv2d_dgrad, wide, ConvWay::winograd},
        Row{conv2d_wgrad, wide, ConvWay::winograd}, Row{conv2d_forward, head, ConvWay::dots},
        Row{conv2d_dgrad, head, ConvWay::taps}, Row{conv2d_wgrad, head, ConvWay::taps},
        Row{conv2d_forward, strided, ConvWay::taps},
        Row{conv_transpose2d_forward, up, ConvWay::taps},
        Row{conv_transpose2d_dgrad, up, ConvWay::taps},
        Row{conv_transpose2d_dgrad, head, ConvWay::dots},
        Row{conv_transpose2d_wgrad, up, ConvWay::patches},
        Row{conv_transpose2d_wgrad, odd_up, ConvWay::taps}}) {
    KernelContext context;
    CAPTURE(kKernels[static_cast<std::size_t>(row.kernel)].name);
    CHECK(cpu::name_of(cpu::choose(context, row.kernel, row.geometry)) ==
          std::string(cpu::name_of(row.fp32)));
    context.precision = ConvPrecision::bf16;
    const bool here = cpu::choose(context, row.kernel, row.geometry) == ConvWay::bf16;
    CHECK(here == (cpu::bf16_pays(row.fp32, row.geometry, cpu::bf16_mostly())));
    for (const Bf16Choice unit : {Bf16Choice::amx, Bf16Choice::avx512, Bf16Choice::portable}) {
      context.bf16 = unit;  // asked for by name: everything
      CHECK(cpu::choose(context, row.kernel, row.geometry) == ConvWay::bf16);
    }
  }
  KernelContext context;
  CHECK_THROWS_WITH(cpu::choose(context, relu_forward, wide),
                    "conv choice: relu_forward is no convolution");
}

TEST_CASE("conv choice: without AMX bf16 takes the layers that it makes faster", "[ops]") {
  const ConvGeometry up = square(6, 30, 64, 128, {.stride_h = 2, .stride_w = 2, .padding = {}}, 2);
  CHECK(cpu::bf16_pays(cpu::ConvWay::taps, up, false));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::winograd, square(6, 240, 32, 32), false));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::patches, up, false));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::dots, square(6, 240, 32, 1, {}, 1), false));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::taps, square(6, 240, 3, 32), false));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::taps, square(6, 240, 32, 8), false));
}

TEST_CASE("conv choice: with AMX the first layer and the head stay in fp32", "[ops]") {
  const auto up = [](std::int64_t channels) {
    return square(6, 120, channels, 2 * channels, {.stride_h = 2, .stride_w = 2, .padding = {}}, 2);
  };
  CHECK(cpu::bf16_pays(cpu::ConvWay::taps, up(16), true));
  CHECK(cpu::bf16_pays(cpu::ConvWay::winograd, square(6, 240, 16, 16), true));
  CHECK(cpu::bf16_pays(cpu::ConvWay::winograd, square(6, 240, 8, 16), true));
  CHECK(cpu::bf16_pays(cpu::ConvWay::patches, up(32), true));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::patches, up(16), true));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::dots, square(6, 240, 32, 1, {}, 1), true));
  CHECK_FALSE(cpu::bf16_pays(cpu::ConvWay::taps, square(6, 240, 3, 32), true));
}

TEST_CASE("conv choice: tiles cover every pixel once, and tasks hold at least one", "[ops]") {
  const cpu::WinogradTiles tiles(2, 9, 6);
  CHECK(tiles.count == 2 * 3 * 2);
  CHECK(tiles.image(5) == 0);
  CHECK(tiles.first_row(5) == 8);
  CHECK(tiles.first_col(5) == 4);
  CHECK(tiles.image(6) == 1);
  CHECK(tiles.first_row(6) == 0);
  for (std::int64_t count : {1, 5, 96, 21600}) {
    const std::int64_t batch = cpu::tiles_per_task(count);
    CHECK(batch >= 1);
    CHECK(batch <= 72);
  }
}

TEST_CASE("conv choice: few tiles with many weights are divided by outputs", "[ops]") {
  CHECK(cpu::takes_outputs(512, 512, 96));
  CHECK(cpu::takes_outputs(256, 512, 16));
  CHECK_FALSE(cpu::takes_outputs(256, 256, 384));
  CHECK_FALSE(cpu::takes_outputs(32, 32, 96));
}

TEST_CASE("conv choice: the sums of backward-weights are divided by the geometry alone", "[ops]") {
  using Scheme = cpu::WgradPlan::Scheme;
  CHECK(cpu::plan_wgrad(square(6, 240, 32, 32)).scheme == Scheme::shares);
  CHECK(cpu::plan_wgrad(square(6, 240, 32, 32)).shares == 16);
  CHECK(cpu::plan_wgrad(square(6, 60, 128, 128)).scheme == Scheme::frequencies);
  CHECK(cpu::plan_wgrad(square(6, 30, 256, 512)).scheme == Scheme::frequencies);
  CHECK(cpu::plan_wgrad(square(6, 15, 512, 512)).scheme == Scheme::blocks);
  for (std::int64_t c : {1, 33, 64, 512, 1024})
    for (std::int64_t size : {1, 7, 60, 240}) {
      const cpu::WgradPlan plan = cpu::plan_wgrad(square(2, size, c, c));
      CHECK(plan.shares >= 1);
      CHECK(plan.shares <= 16);
      CHECK(plan.batch >= 1);
      CHECK((plan.shares <= 4 || plan.shares * c * c * 4 * 36 <= std::int64_t{16} << 20));
    }
}

}  // namespace glia::test
