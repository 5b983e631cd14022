#include "kernels/cpu/conv/conv_choice.h"

#include <algorithm>

#include "engine/base/check.h"
#include "kernels/cpu/conv/bf16_unit.h"
#include "kernels/cpu/conv/winograd_tiles.h"

namespace glia::cpu {

namespace {

bool takes_winograd(ConvMethod method, ConvPass pass, const ConvGeometry& g) {
  if (method == ConvMethod::direct || !winograd_fits(g)) return false;
  if (method == ConvMethod::winograd) return true;
  // With few channels to sum over, the transforms cost more than the multiplications that they
  // save; with few tiles the weights' transform does. Backward-weights of few input channels has a
  // direct kernel that wastes no lanes.
  const bool dgrad = pass == ConvPass::dgrad;
  const std::int64_t tiles = WinogradTiles(g.N, dgrad ? g.H : g.P, dgrad ? g.W : g.Q).count;
  if (pass == ConvPass::wgrad && g.C < 8) return false;
  return (pass == ConvPass::forward ? g.C : g.K) >= 8 && tiles >= 4;
}

/// 1x1 to so few outputs that vectors of them would be empty, like the head of a U-Net.
bool takes_dots(const ConvGeometry& g) {
  return g.R == 1 && g.S == 1 && g.stride_h == 1 && g.stride_w == 1 && g.P == g.H && g.Q == g.W &&
         g.K <= 4 && g.C >= 8;
}

/// Windows lie side by side and cover the image, and channels fill cache lines.
bool takes_patches(const ConvGeometry& g) {
  return g.stride_h == g.R && g.stride_w == g.S && g.pad_top == 0 && g.pad_left == 0 &&
         g.H == g.P * g.R && g.W == g.Q * g.S && g.C % 16 == 0;
}

ConvWay choose_fp32(const KernelContext& context, KernelId kernel, const ConvGeometry& g) {
  const auto winograd_or = [&](ConvPass pass, ConvWay other) {
    return takes_winograd(context.conv, pass, g) ? ConvWay::winograd : other;
  };
  // A transposed convolution's backward-data is a forward pass, and the other way round.
  const ConvWay forward = takes_dots(g) ? ConvWay::dots : ConvWay::taps;
  switch (kernel) {
    case KernelId::conv2d_forward: return winograd_or(ConvPass::forward, forward);
    case KernelId::conv2d_dgrad: return winograd_or(ConvPass::dgrad, ConvWay::taps);
    case KernelId::conv2d_wgrad: return winograd_or(ConvPass::wgrad, ConvWay::taps);
    case KernelId::conv_transpose2d_forward: return ConvWay::taps;
    case KernelId::conv_transpose2d_dgrad: return forward;
    case KernelId::conv_transpose2d_wgrad:
      return takes_patches(g) ? ConvWay::patches : ConvWay::taps;
    default:
      fail("conv choice: {} is no convolution", kKernels[static_cast<std::size_t>(kernel)].name);
  }
}

}  // namespace

const char* name_of(ConvWay way) {
  switch (way) {
    case ConvWay::taps: return "taps";
    case ConvWay::winograd: return "winograd";
    case ConvWay::dots: return "dots";
    case ConvWay::patches: return "patches";
    case ConvWay::bf16: return "bf16";
  }
  return "";
}

bool winograd_fits(const ConvGeometry& g) {
  return g.R == 3 && g.S == 3 && g.stride_h == 1 && g.stride_w == 1;
}

bool bf16_pays(ConvWay fp32, const ConvGeometry& g, bool amx) {
  constexpr std::int64_t kFull = 16;  // channels of a tile
  const std::int64_t channels = std::min(g.C, g.K);
  if (amx) return channels >= (fp32 == ConvWay::patches ? 2 * kFull : kFull / 2);
  return fp32 == ConvWay::taps && channels >= kFull;
}

ConvWay choose(const KernelContext& context, KernelId kernel, const ConvGeometry& g) {
  const ConvWay fp32 = choose_fp32(context, kernel, g);
  if (context.precision != ConvPrecision::bf16) return fp32;
  const bool always = context.bf16 != Bf16Choice::automatic;
  return always || bf16_pays(fp32, g, bf16_amx() != nullptr) ? ConvWay::bf16 : fp32;
}

}  // namespace glia::cpu
