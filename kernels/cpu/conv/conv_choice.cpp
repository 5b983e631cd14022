#include "kernels/cpu/conv/conv_choice.h"

#include "kernels/cpu/conv/winograd_tiles.h"

namespace glia::cpu {

bool winograd_fits(const ConvGeometry& g) {
  return g.R == 3 && g.S == 3 && g.stride_h == 1 && g.stride_w == 1;
}

bool takes_winograd(ConvMethod method, ConvPass pass, const ConvGeometry& g) {
  if (method == ConvMethod::direct || !winograd_fits(g)) return false;
  if (method == ConvMethod::winograd) return true;
  // Measured, docs/adr/0009-winograd.md. With few channels to sum over, the transforms cost more
  // than the multiplications that they save; with few tiles the weights' transform does.
  // Backward-weights of few input channels has a direct kernel that wastes no lanes.
  const bool dgrad = pass == ConvPass::dgrad;
  const std::int64_t tiles = WinogradTiles(g.N, dgrad ? g.H : g.P, dgrad ? g.W : g.Q).count;
  if (pass == ConvPass::wgrad && g.C < 8) return false;
  return (pass == ConvPass::forward ? g.C : g.K) >= 8 && tiles >= 4;
}

bool takes_winograd(const KernelContext& context, ConvPass pass, const ConvGeometry& g) {
  return context.precision == ConvPrecision::fp32 && takes_winograd(context.conv, pass, g);
}

}  // namespace glia::cpu
