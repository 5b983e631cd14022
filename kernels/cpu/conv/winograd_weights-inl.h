// The transformed weights of Winograd's forward pass and dgrad. Included once an instruction set
// (Highway's foreach_target).
#if defined(GLIA_KERNELS_CPU_CONV_WINOGRAD_WEIGHTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLIA_KERNELS_CPU_CONV_WINOGRAD_WEIGHTS_INL_H_
#undef GLIA_KERNELS_CPU_CONV_WINOGRAD_WEIGHTS_INL_H_
#else
#define GLIA_KERNELS_CPU_CONV_WINOGRAD_WEIGHTS_INL_H_
#endif

#include "kernels/cpu/conv/winograd-inl.h"
#include "kernels/cpu/conv/winograd_conv.h"

HWY_BEFORE_NAMESPACE();
namespace glia::cpu::HWY_NAMESPACE {

/// Transforms the weights of outputs [first, first + count) and of channels [c0, c0 + channels):
/// element (f, c, k) goes to to[f * frequency_step + c * pitch + k], zeros after the last output.
void transform_weights(const WinogradConv& a, std::int64_t first, std::int64_t count,
                       std::int64_t c0, std::int64_t channels, float* to,
                       std::int64_t frequency_step, std::int64_t pitch) {
  constexpr std::int64_t kStrip = 16;
  const Floats d;
  const std::int64_t C = a.w.shape[3];
  const std::int64_t depth_step = a.dgrad ? 9 * C : 1, output_step = a.dgrad ? 1 : 9 * C;
  for (std::int64_t k = 0; k < count; k += kLine) {
    const std::int64_t rest = std::min(kLine, count - k);
    for (std::int64_t c = 0; c < channels; c += kStrip) {
      // The strip's outputs side by side, so that they make vectors.
      const std::int64_t strip = std::min(kStrip, channels - c);
      HWY_ALIGN float taps[9][kStrip * kLine];
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        const float* from = a.w.as<float>() + (a.dgrad ? 8 - tap : tap) * C +
                            (c0 + c) * depth_step + (first + k) * output_step;
        // The next strip's lines, each far from the others, are fetched meanwhile.
        const float* next = from + kStrip * depth_step;
        if (a.dgrad)
          for (std::int64_t i = 0; i < strip; ++i) {
            prefetch_to_l2(next + i * depth_step);
            for (int v = 0; v < kLineVectors; ++v)
              hn::Store(rest > v * kLanes
                            ? load_some(d, from + i * depth_step + v * kLanes, rest - v * kLanes)
                            : hn::Zero(d),
                        d, taps[tap] + i * kLine + v * kLanes);
          }
        else
          for (std::int64_t l = 0; l < kLine; ++l) {
            prefetch_to_l2(next + l * output_step);
            for (std::int64_t i = 0; i < strip; ++i)
              taps[tap][i * kLine + l] = l < rest ? from[i + l * output_step] : 0.0f;
          }
      }
      for (std::int64_t i = 0; i < strip; ++i) {
        float* place = to + (c + i) * pitch + k;
        transform<WeightMatrix>(
            [&](int r, int s, int v)
                HWY_ATTR { return hn::Load(d, taps[r * 3 + s] + i * kLine + v * kLanes); },
            [&](int r, int s, int v, FloatVec x)
                HWY_ATTR { hn::Store(x, d, place + (r * 6 + s) * frequency_step + v * kLanes); });
      }
    }
  }
}

}  // namespace glia::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
