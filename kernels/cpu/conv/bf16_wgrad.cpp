// dw in bf16: dw[k][tap][c] = sum over pixels of x[pixel at the tap][c] * dy[pixel][k].
//
// Pixels are what a product sums over, so they have to follow one another: x is transposed to
// [channel][pixel], and dy is packed in pairs of pixels. A slab is some output rows of an image,
// laid end to end with the width of x's rows; between the rows of dy lie zeros. Then a tap is an
// offset into x, of as many rows and pixels as it stands away from the first tap. With a stride
// there is a plane of x for each residue of rows and columns, and the rest of the division is the
// offset.
//
// Work mapping: a task is a fixed share of the slabs, which its thread packs, and all results;
// where the results are many, all slabs are packed first and a task is 32 x 32 channels of the
// results and all slabs. Shares are added in order. Slabs and shares are functions of the geometry
// alone.
#include <algorithm>

#include "kernels/cpu/conv/bf16_conv.h"
#include "kernels/cpu/conv/bf16_unit.h"
#include "kernels/cpu/parallel.h"

namespace glia::cpu {

namespace {

constexpr std::int64_t kSlabBytes = 768 << 10;  // of a slab's operands: a part of the L2 cache
constexpr std::int64_t kManySums = 512 << 10;   // bytes, from which tasks are results
constexpr std::int64_t kShares = 16;
constexpr std::int64_t kChunkSteps = 8;  // of 32 pixels, whose operands stay in the L1 cache

/// How a pass is divided, and how its packed operands lie.
struct Bf16WgradPlan {
  const ConvGeometry& g;
  std::int64_t planes_h, planes_w, halo_h, halo_w;  // residues of the taps, and rests
  std::int64_t width;                               // of a row of pixels, x's and dy's
  std::int64_t channels, outputs, blocks_c, blocks_k, taps;
  std::int64_t rows = 1, per_image, slabs;  // output rows a slab
  std::int64_t shares, sums_size;
  bool by_results;

  explicit Bf16WgradPlan(const ConvGeometry& geometry)
      : g(geometry),
        planes_h(std::min(g.R, g.stride_h)),
        planes_w(std::min(g.S, g.stride_w)),
        halo_h((g.R - 1) / g.stride_h),
        halo_w((g.S - 1) / g.stride_w),
        width(round_up(g.Q + halo_w, 2)),
        channels(round_up(g.C, 16)),
        outputs(round_up(g.K, 16)),
        blocks_c(ceil_div(g.C, kTileBlock)),
        blocks_k(ceil_div(g.K, kTileBlock)),
        taps(g.R * g.S) {
    sums_size = blocks_c * blocks_k * taps * kTileSums;
    by_results = sums_size * 4 >= kManySums && blocks_c * blocks_k >= 8;
    while (rows < g.P && slab_size_of(std::min(g.P, 2 * rows)) * 2 <= kSlabBytes)
      rows = std::min(g.P, 2 * rows);
    // Enough slabs for all shares.
    if (!by_results)
      rows = std::min(rows, std::max<std::int64_t>(1, ceil_div(g.N * g.P, 2 * kShares)));
    per_image = ceil_div(g.P, rows);
    slabs = g.N * per_image;
    shares = by_results ? 1 : std::min(slabs, kShares);
  }

  std::int64_t length_of(std::int64_t slab_rows) const { return round_up(slab_rows * width, 32); }
  std::int64_t length() const { return length_of(rows); }
  /// Numbers from one channel of a plane to the next: an odd number of lines.
  std::int64_t plane_of(std::int64_t slab_rows) const {
    const std::int64_t size = round_up(length_of(slab_rows) + halo_h * width + halo_w, 32);
    return size + (size / 32 % 2 == 0 ? 32 : 0);
  }
  std::int64_t plane() const { return plane_of(rows); }
  std::int64_t x_size_of(std::int64_t slab_rows) const {
    return planes_h * planes_w * channels * plane_of(slab_rows);
  }
  std::int64_t slab_size_of(std::int64_t slab_rows) const {
    return x_size_of(slab_rows) + outputs * length_of(slab_rows);
  }
  std::int64_t x_size() const { return x_size_of(rows); }
  std::int64_t slab_size() const { return slab_size_of(rows); }
  /// Where the pixels that tap (r, s) reads begin.
  std::int64_t offset(std::int64_t r, std::int64_t s) const {
    const std::int64_t residue = r % g.stride_h * planes_w + s % g.stride_w;
    return residue * channels * plane() + r / g.stride_h * width + s / g.stride_w;
  }
};

class Wgrad {
 public:
  Wgrad(KernelContext& context, const Bf16WgradPlan& plan, const Mapped& dy, const Mapped& x,
        const View& dw, Write write)
      : context_(context),
        plan_(plan),
        g_(plan.g),
        dy_(dy),
        x_(x),
        dw_(dw),
        write_(write),
        unit_(bf16_unit(context.bf16)) {}

  void run() {
    const std::int64_t sums_size = plan_.shares * plan_.sums_size;
    const std::int64_t packed_slabs = plan_.by_results ? plan_.slabs : context_.threads;
    sums_ = static_cast<float*>(context_.workspace.reserve(
        static_cast<std::size_t>(sums_size * 4 + packed_slabs * plan_.slab_size() * 2)));
    if (context_.dry_run) return;
    auto* packed = reinterpret_cast<Bf16*>(sums_ + sums_size);
    if (plan_.by_results) {
      parallel_for(context_, plan_.slabs,
                   [&](std::int64_t slab) { pack(slab, packed + slab * plan_.slab_size()); });
      parallel_for(context_, plan_.blocks_c * plan_.blocks_k, [&](std::int64_t block) {
        unit_.begin();
        for (std::int64_t slab = 0; slab < plan_.slabs; ++slab)
          multiply(packed + slab * plan_.slab_size(), block, sums_, slab > 0);
        unit_.end();
      });
    } else {
      parallel_for(context_, plan_.shares, [&](std::int64_t share) {
        Bf16* slab_memory = packed + thread_number() * plan_.slab_size();
        const std::int64_t first = share * plan_.slabs / plan_.shares;
        unit_.begin();
        for (std::int64_t slab = first; slab < (share + 1) * plan_.slabs / plan_.shares; ++slab) {
          pack(slab, slab_memory);
          for (std::int64_t block = 0; block < plan_.blocks_c * plan_.blocks_k; ++block)
            multiply(slab_memory, block, sums_ + share * plan_.sums_size, slab > first);
        }
        unit_.end();
      });
    }
    parallel_for(context_, plan_.blocks_c * plan_.blocks_k * plan_.taps,
                 [&](std::int64_t i) { finish(i); });
  }

 private:
  void pack(std::int64_t slab, Bf16* to) const {
    const std::int64_t n = slab / plan_.per_image, i0 = slab % plan_.per_image * plan_.rows;
    const std::int64_t rows = std::min(plan_.rows, g_.P - i0);
    std::fill_n(to, plan_.x_size(), Bf16{0});
    for (std::int64_t a = 0; a < plan_.planes_h; ++a)
      for (std::int64_t b = 0; b < plan_.planes_w; ++b)
        pack_plane(n, i0, rows, a, b,
                   to + (a * plan_.planes_w + b) * plan_.channels * plan_.plane());
    Bf16* pairs = to + plan_.x_size();
    const std::int64_t length = plan_.length();
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t end = i + 1 < rows ? (i + 1) * plan_.width : length;
      unit_.pack_pairs({.from = dy_.view.as<float>() + (n * g_.P + i0 + i) * g_.Q * dy_.view.pitch,
                        .pitch = dy_.view.pitch,
                        .pixels = g_.Q,
                        .channels = g_.K,
                        .map = Bf16Map::of(dy_.map),
                        .to = pairs + i * plan_.width * 16,
                        .block = length * 16,
                        .padded = end - i * plan_.width});
    }
  }

  /// The pixels of x of one residue; zeros already lie around them.
  void pack_plane(std::int64_t n, std::int64_t i0, std::int64_t rows, std::int64_t a,
                  std::int64_t b, Bf16* to) const {
    const std::int64_t sw = g_.stride_w;
    const std::int64_t columns = g_.Q + plan_.halo_w;
    const auto first_at = [&](std::int64_t w) {  // the first column that reads w or after it
      return std::clamp<std::int64_t>(ceil_div(std::max<std::int64_t>(0, w + g_.pad_left - b), sw),
                                      0, columns);
    };
    const std::int64_t left = first_at(0), right = first_at(g_.W);
    if (left == right) return;
    for (std::int64_t line = 0; line < rows + plan_.halo_h; ++line) {
      const std::int64_t h = (i0 + line) * g_.stride_h + a - g_.pad_top;
      if (h < 0 || h >= g_.H) continue;
      const std::int64_t w = left * sw + b - g_.pad_left;
      unit_.pack_columns({.from = x_.view.as<float>() + ((n * g_.H + h) * g_.W + w) * x_.view.pitch,
                          .pitch = sw * x_.view.pitch,
                          .pixels = right - left,
                          .channels = g_.C,
                          .map = Bf16Map::of(x_.map),
                          .to = to + line * plan_.width + left,
                          .plane = plan_.plane()});
    }
  }

  /// A slab's share of 32 x 32 channels of the result, at all taps: sums[block][tap][c][k].
  void multiply(const Bf16* packed, std::int64_t block, float* sums, bool accumulate) const {
    const std::int64_t c0 = block / plan_.blocks_k * kTileBlock;
    const std::int64_t k0 = block % plan_.blocks_k * kTileBlock;
    const std::int64_t steps = plan_.length() / kTileDepth, k_block = plan_.length() * 16;
    const std::int64_t none = 0;
    sums += block * plan_.taps * kTileSums;
    for (std::int64_t step = 0; step < steps; step += kChunkSteps)
      for (std::int64_t r = 0; r < g_.R; ++r)
        for (std::int64_t s = 0; s < g_.S; ++s) {
          const Bf16* left = packed + plan_.offset(r, s) + c0 * plan_.plane() + step * kTileDepth;
          unit_.multiply({.a = {left, left + kTileRows * plan_.plane()},
                          .a_row = plan_.plane(),
                          .runs = &none,
                          .run_count = 1,
                          .run_steps = std::min(kChunkSteps, steps - step),
                          .b = packed + plan_.x_size() + k0 / 16 * k_block + step * kTileSize,
                          .b_step = kTileSize,
                          .b_tile = k_block,
                          .a_tiles = g_.C - c0 > 16 ? 2 : 1,
                          .b_tiles = g_.K - k0 > 16 ? 2 : 1,
                          .sums = sums + (r * g_.S + s) * kTileSums,
                          .accumulate = accumulate || step > 0});
        }
  }

  /// dw (+)= the shares' sums, in order, of 32 x 32 channels at one tap.
  void finish(std::int64_t i) const {
    const std::int64_t block = i / plan_.taps, tap = i % plan_.taps;
    const std::int64_t c0 = block / plan_.blocks_k * kTileBlock;
    const std::int64_t k0 = block % plan_.blocks_k * kTileBlock;
    const std::int64_t count_c = std::min(kTileBlock, g_.C - c0);
    const std::int64_t count_k = std::min(kTileBlock, g_.K - k0);
    float* sums = sums_ + i * kTileSums;
    for (std::int64_t share = 1; share < plan_.shares; ++share)
      for (std::int64_t c = 0; c < count_c; ++c)
        for (std::int64_t k = 0; k < count_k; ++k)
          sums[c * kTileBlock + k] += sums[share * plan_.sums_size + c * kTileBlock + k];
    for (std::int64_t k = 0; k < count_k; ++k) {
      float* to = dw_.as<float>() + ((k0 + k) * plan_.taps + tap) * g_.C + c0;
      for (std::int64_t c = 0; c < count_c; ++c)
        to[c] = sums[c * kTileBlock + k] + (write_ == Write::accumulate ? to[c] : 0.0f);
    }
  }

  KernelContext& context_;
  const Bf16WgradPlan& plan_;
  const ConvGeometry& g_;
  const Mapped &dy_, &x_;
  const View& dw_;
  Write write_;
  const Bf16Unit& unit_;
  float* sums_ = nullptr;
};

}  // namespace

void bf16_wgrad(KernelContext& context, const ConvGeometry& g, const Mapped& dy, const Mapped& x,
                const View& dw, Write write) {
  const Bf16WgradPlan plan(g);
  Wgrad(context, plan, dy, x, dw, write).run();
}

}  // namespace glia::cpu
