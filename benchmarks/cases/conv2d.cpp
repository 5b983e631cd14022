// conv2d: every window, stride and padding that a U-Net or its variants use, and the channel counts
// around vector and block widths.
#include <algorithm>

#include "benchmarks/cases/convolutions.h"
#include "engine/base/check.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

std::vector<Case> conv2d_windows() {
  return {
      conv2d_case({1, 1, 1, 1}, 1, 1, 1),
      conv2d_case({2, 5, 7, 3}, 2, 1, 1),
      conv2d_case({1, 4, 5, 16}, 33, 1, 1),
      conv2d_case({2, 5, 7, 17}, 3, 1, 1),  // dot products
      conv2d_case({1, 9, 8, 8}, 4, 1, 1, {}, false),
      conv2d_case({2, 6, 5, 5}, 3, 2, 2, same(2, 2)),
      conv2d_case({1, 7, 9, 3}, 16, 2, 2),
      conv2d_case({3, 6, 5, 3}, 4, 3, 3, same(3, 3)),
      conv2d_case({1, 5, 8, 5}, 7, 3, 3),
      conv2d_case({1, 6, 5, 2}, 3, 3, 3, strided(1, 1, 2)),
      conv2d_case({2, 8, 7, 3}, 4, 5, 3, same(5, 3)),
      conv2d_case({1, 3, 2, 4}, 5, 5, 3, strided(1, 1, 2)),
      conv2d_case({1, 9, 8, 3}, 5, 3, 3, strided(2, 2, 1)),
      conv2d_case({2, 10, 7, 3}, 4, 3, 3, strided(3, 3, 1)),
      conv2d_case({1, 9, 11, 4}, 3, 3, 3, strided(2, 3, 0)),
      conv2d_case({1, 7, 8, 3}, 5, 1, 1, strided(2, 2, 0)),
      conv2d_case({1, 6, 6, 3}, 4, 2, 2, strided(3, 3, 0)),  // some pixels are in no window
      conv2d_case({1, 4, 6, 3}, 4, 3, 3, {.padding = {0, 2, 1, 0}}),
      conv2d_case({2, 4, 5, 3}, 4, 3, 3, same(3, 3), false),
      conv2d_case({1, 18, 4, 2}, 3, 17, 2),  // more rows of a window than a table has bits
  };
}

std::vector<Case> conv2d_channels() {
  std::vector<Case> cases;
  for (std::int64_t c : {1, 3, 5, 16, 17, 32, 70})
    for (std::int64_t k : {1, 2, 16, 33, 64, 130})
      cases.push_back(conv2d_case({1, 3, 4, c}, k, 3, 3, same(3, 3)));
  for (std::int64_t c : {130, 144, 200})
    cases.push_back(conv2d_case({1, 3, 4, c}, 5, 3, 3, same(3, 3)));
  cases.push_back(conv2d_case({1, 2, 3, 70}, 130, 1, 1));
  cases.push_back(conv2d_case({1, 3, 2, 32}, 64, 2, 2, same(2, 2)));
  for (Case& test : cases) test.samples = 5;
  return cases;
}

std::vector<Case> conv2d_threads() {
  std::vector<Case> cases = {conv2d_case({2, 17, 19, 16}, 32, 3, 3, same(3, 3)),
                             conv2d_case({3, 15, 14, 3}, 16, 3, 3, same(3, 3)),
                             conv2d_case({1, 24, 23, 32}, 1, 1, 1),
                             conv2d_case({2, 21, 18, 17}, 16, 3, 3, strided(2, 2, 1)),
                             conv2d_case({8, 16, 16, 64}, 2, 3, 3, same(3, 3)),
                             conv2d_case({1, 40, 40, 64}, 3, 3, 3, same(3, 3))};
  for (Case& test : cases) test.samples = 3;
  return cases;
}

std::vector<Case> conv2d_tiles() {
  std::vector<Case> cases = {
      conv2d_case({1, 1, 1, 1}, 1, 3, 3, same(3, 3)),    // a tile of which one pixel exists
      conv2d_case({2, 1, 9, 5}, 7, 3, 3, same(3, 3)),    // and one of which a row does
      conv2d_case({1, 4, 8, 16}, 16, 3, 3, same(3, 3)),  // whole tiles
      conv2d_case({2, 9, 6, 20}, 36, 3, 3, same(3, 3)),  // remainders of 1 and 2 pixels
      conv2d_case({1, 6, 11, 17}, 66, 3, 3, strided(1, 1, 2)),
      conv2d_case({1, 7, 7, 6}, 5, 3, 3, strided(1, 1, 3)),  // dgrad starts inside dy
      conv2d_case({2, 7, 10, 33}, 18, 3, 3, {.padding = {1, 0, 0, 2}}),
      conv2d_case({3, 29, 31, 8}, 16, 3, 3, same(3, 3)),  // several batches of tiles
      conv2d_case({1, 5, 4, 272}, 20, 3, 3, same(3, 3)),  // several blocks of channels
      conv2d_case({1, 5, 4, 20}, 260, 3, 3, same(3, 3)),
      // Blocks of outputs in the forward pass and dgrad, blocks of channels in wgrad.
      conv2d_case({1, 5, 6, 136}, 130, 3, 3, same(3, 3)),
      conv2d_case({2, 9, 7, 260}, 72, 3, 3, same(3, 3)),
  };
  for (std::size_t i = 2; i < cases.size(); ++i) cases[i].samples = 4;
  // Most weights of a window meet nothing but padding.
  cases[0].inputs[1].min_nonzero = cases[1].inputs[1].min_nonzero = 0.1;
  return cases;
}

std::vector<Case> conv2d_outside() {
  // Only the first pixel is read: some residues of dgrad have no dy pixel at all. With 144 channels
  // a packed row of dy is as wide as a dense one.
  std::vector<Case> cases;
  for (std::int64_t k : {4, 144}) {
    cases.push_back(conv2d_case({1, 2, 2, 3}, k, 2, 2,
                                {.stride_h = 2, .stride_w = 2, .padding = {1, 0, 1, 0}}));
    cases.back().inputs[0].min_nonzero = cases.back().inputs[1].min_nonzero = 0.2;
  }
  return cases;
}

std::vector<Case> conv2d_operands() {
  return of_some_operands(conv2d_case({1, 4, 5, 3}, 4, 3, 3, same(3, 3)));
}

std::vector<Case> conv2d_bf16_windows() {
  return with_samples(
      {
          conv2d_case({1, 1, 1, 1}, 1, 1, 1),
          conv2d_case({2, 5, 7, 3}, 2, 1, 1),
          conv2d_case({1, 7, 9, 3}, 16, 2, 2),
          conv2d_case({3, 6, 5, 3}, 4, 3, 3, same(3, 3)),
          conv2d_case({1, 5, 8, 5}, 7, 3, 3),
          conv2d_case({1, 6, 5, 2}, 3, 3, 3, strided(1, 1, 2)),
          conv2d_case({1, 3, 2, 4}, 5, 5, 3, strided(1, 1, 2)),
          conv2d_case({1, 9, 8, 3}, 5, 3, 3, strided(2, 2, 1)),
          conv2d_case({2, 10, 7, 40}, 4, 3, 3, strided(3, 3, 1)),
          conv2d_case({1, 9, 11, 4}, 3, 3, 3, strided(2, 3, 0)),
          conv2d_case({1, 7, 8, 33}, 5, 1, 1, strided(2, 2, 0)),
          conv2d_case({1, 6, 6, 3}, 4, 2, 2, strided(3, 3, 0)),  // some pixels are in no window
          conv2d_case({1, 4, 6, 3}, 4, 3, 3, {.padding = {0, 2, 1, 0}}),
          conv2d_case({2, 4, 5, 3}, 4, 3, 3, same(3, 3), false),
      },
      6);
}

std::vector<Case> conv2d_bf16_channels() {
  std::vector<Case> cases;
  for (std::int64_t c : {1, 15, 16, 31, 32, 33, 64, 70})
    for (std::int64_t k : {1, 16, 17, 32, 33})
      cases.push_back(conv2d_case({1, 3, 4, c}, k, 3, 3, same(3, 3)));
  for (std::int64_t width : {15, 16, 17, 33, 50})
    cases.push_back(conv2d_case({2, 3, width, 34}, 18, 3, 3, same(3, 3)));
  return with_samples(std::move(cases), 3);
}

std::vector<Case> conv2d_bf16_threads() {
  return with_samples({conv2d_case({2, 17, 19, 16}, 32, 3, 3, same(3, 3)),
                       conv2d_case({1, 40, 40, 8}, 3, 3, 3, same(3, 3)),
                       conv2d_case({2, 21, 18, 17}, 16, 3, 3, strided(2, 2, 1)),
                       conv2d_case({2, 5, 6, 300}, 8, 3, 3, same(3, 3)),     // slices of channels
                       conv2d_case({3, 5, 5, 160}, 200, 3, 3, same(3, 3))},  // tasks of outputs
                      2);
}

std::vector<Case> conv2d_tf32_windows() {
  std::vector<Case> cases = with_samples(
      {
          conv2d_case({1, 1, 1, 8}, 8, 1, 1),
          conv2d_case({2, 5, 7, 8}, 12, 1, 1),  // a pixel shuffle in dgrad
          conv2d_case({1, 5, 6, 8}, 8, 3, 3, same(3, 3)),
          conv2d_case({1, 6, 5, 8}, 20, 3, 3, strided(1, 1, 2)),
          conv2d_case({2, 8, 7, 12}, 8, 5, 3, same(5, 3)),
          conv2d_case({1, 9, 8, 8}, 12, 3, 3, strided(2, 2, 1)),
          conv2d_case({1, 9, 11, 8}, 8, 3, 3, strided(2, 3, 0)),
          conv2d_case({1, 7, 8, 8}, 8, 1, 1, strided(2, 2, 0)),
          conv2d_case({1, 6, 6, 8}, 8, 2, 2, strided(3, 3, 0)),  // some pixels are in no window
          conv2d_case({1, 4, 6, 8}, 8, 3, 3, {.padding = {0, 2, 1, 0}}),
          conv2d_case({3, 2, 1, 8}, 8, 3, 3, same(3, 3), false),  // images smaller than a step
      },
      6);
  cases.back().inputs[1].min_nonzero = 0.2;  // most of its weights meet padding alone
  return cases;
}

std::vector<Case> conv2d_tf32_channels() {
  // Around fragments of 8 and 16, slices of 32 and tiles of 32, 64 and 128; several slices a tap
  // and several taps a slice; rows around a tile.
  std::vector<Case> cases;
  for (std::int64_t c : {8, 28, 36, 64})
    for (std::int64_t k : {8, 36, 68})
      cases.push_back(conv2d_case({1, 3, 4, c}, k, 3, 3, same(3, 3)));
  cases.push_back(conv2d_case({1, 3, 4, 16}, 132, 3, 3, same(3, 3)));
  cases.push_back(conv2d_case({1, 3, 4, 132}, 8, 3, 3, same(3, 3)));
  for (std::int64_t width : {43, 64, 65})
    cases.push_back(conv2d_case({1, 3, width, 8}, 8, 3, 3, same(3, 3)));
  return with_samples(std::move(cases), 3);
}

std::vector<Case> conv2d_tf32_large() {
  // Enough slices to go around the ring, splits of the sums, and images as in a U-Net's middle.
  return with_samples({conv2d_case({1, 15, 15, 64}, 64, 3, 3, same(3, 3)),
                       conv2d_case({2, 17, 19, 16}, 32, 3, 3, same(3, 3)),
                       conv2d_case({1, 21, 18, 32}, 16, 3, 3, strided(2, 2, 1)),
                       conv2d_case({1, 5, 6, 320}, 8, 3, 3, same(3, 3))},
                      2);
}

std::vector<Case> conv2d_bf16_pieces() {
  // Around fragments of 8 and 16, slices of 64 and tiles of 32, 64, 128 and 256; rows around a
  // tile.
  std::vector<Case> cases;
  for (std::int64_t c : {8, 56, 72})
    for (std::int64_t k : {8, 72}) cases.push_back(conv2d_case({1, 3, 4, c}, k, 3, 3, same(3, 3)));
  cases.push_back(conv2d_case({1, 3, 4, 16}, 136, 3, 3, same(3, 3)));
  cases.push_back(conv2d_case({1, 3, 4, 136}, 8, 3, 3, same(3, 3)));
  for (std::int64_t width : {43, 64, 65})
    cases.push_back(conv2d_case({1, 3, width, 8}, 8, 3, 3, same(3, 3)));
  cases.push_back(conv2d_case({1, 9, 8, 8}, 16, 3, 3, strided(2, 2, 1)));
  cases.push_back(conv2d_case({2, 8, 7, 16}, 8, 5, 3, same(5, 3)));
  return with_samples(std::move(cases), 3);
}

std::vector<Case> conv2d_patches() {
  // Images around patches of 8x16 and of 15x16, some with padding that shifts or cuts them; a chunk
  // of 64 channels, in tf32 of 32, and several; all passes, or one of them, by patches.
  return with_samples({conv2d_case({1, 8, 16, 64}, 64, 3, 3, same(3, 3)),
                       conv2d_case({2, 9, 17, 64}, 16, 3, 3, same(3, 3)),
                       conv2d_case({1, 5, 6, 128}, 64, 3, 3, same(3, 3)),
                       conv2d_case({1, 6, 18, 64}, 136, 3, 3, {}),
                       conv2d_case({1, 5, 15, 128}, 24, 3, 3, {.padding = {0, 2, 1, 0}}),
                       conv2d_case({1, 3, 2, 24}, 64, 3, 3, same(3, 3)),
                       conv2d_case({3, 2, 2, 64}, 64, 3, 3, same(3, 3), false),
                       conv2d_case({2, 16, 18, 64}, 64, 3, 3, same(3, 3)),
                       conv2d_case({1, 9, 17, 32}, 40, 3, 3, same(3, 3)),
                       conv2d_case({1, 31, 4, 64}, 128, 3, 3, {.padding = {2, 0, 0, 2}})},
                      2);
}

std::vector<Case> conv2d_odd_patches() {
  // At most eight channels, and results of a number of channels that fills no piece of 16 bytes.
  return with_samples(
      {conv2d_case({1, 4, 20, 64}, 5, 3, 3, {.padding = Padding::all(2)}),
       conv2d_case({2, 9, 17, 3}, 64, 3, 3, same(3, 3)), conv2d_case({1, 6, 5, 1}, 70, 3, 3, {}),
       conv2d_case({1, 8, 16, 8}, 5, 3, 3, {.padding = {0, 2, 1, 0}})},
      2);
}

std::vector<Case> conv2d_at(const Dimensions& d) {
  check_kernel("conv2d", d);
  return {conv2d_case(d.shape, d.K, d.R, d.S, d.spec())};
}

}  // namespace

Case conv2d_case(const Shape& x, std::int64_t k, std::int64_t r, std::int64_t s,
                 const ConvSpec& spec, bool bias) {
  const Shape w{k, r, s, x[3]};
  const ConvGeometry g = conv2d_geometry(x, w, spec);
  const auto taps = static_cast<double>(r * s), pixels = static_cast<double>(g.N * g.P * g.Q);
  Case test{.op = "conv2d",
            .text = conv_text(x, w, spec),
            .inputs = {{.shape = x, .linear = true, .length = taps * static_cast<double>(k)},
                       {.shape = w, .image = false, .linear = true, .length = pixels}},
            .build =
                [spec](Tape& tape, std::span<const Tensor> in, const Tensor& out) {
                  return ops::conv2d(tape, in[0], in[1], in.size() > 2 ? in[2] : Tensor(), spec,
                                     out);
                },
            .length = taps * static_cast<double>(x[3]) + 1,
            .takes_out = true,
            .geometry = g};
  // A window smaller than the stride leaves pixels out.
  test.inputs[0].min_nonzero *=
      std::min(1.0, static_cast<double>(r) / static_cast<double>(spec.stride_h)) *
      std::min(1.0, static_cast<double>(s) / static_cast<double>(spec.stride_w)) * 0.8;
  if (bias) test.inputs.push_back({.shape = {k}, .image = false, .linear = true, .length = pixels});
  return test;
}

Operation conv2d_operation() {
  return {.name = "conv2d",
          .takes = {Dimension::kernel, Dimension::stride, Dimension::padding},
          .at = conv2d_at,
          .groups = {
              {"windows", "windows, strides and paddings", conv2d_windows},
              {"channels", "channel counts around vector and block widths", conv2d_channels},
              {"threads", "images large enough to be split between threads", conv2d_threads},
              {"tiles", "Winograd's tiles, batches of tiles and blocks of channels", conv2d_tiles},
              {"outside", "pixels that lie outside every window", conv2d_outside},
              {"operands", "gradients of only some operands", conv2d_operands},
              {"bf16-windows", "windows, strides and paddings in bf16", conv2d_bf16_windows},
              {"bf16-channels", "channels around pairs, tiles and blocks in bf16",
               conv2d_bf16_channels},
              {"tf32-windows", "windows, strides and paddings in tf32", conv2d_tf32_windows},
              {"tf32-channels", "channels around fragments, slices and tiles in tf32",
               conv2d_tf32_channels},
              {"tf32-large", "rings of slices and splits of the sums in tf32", conv2d_tf32_large},
              {"bf16-pieces", "channels in pieces of eight, around fragments, slices and tiles",
               conv2d_bf16_pieces},
              {"patches", "windows of 3x3 around patches of 8x16 and 15x16", conv2d_patches},
              {"odd-patches", "and with few or odd channels", conv2d_odd_patches},
              {"bf16-threads", "split between threads, and many weights, in bf16",
               conv2d_bf16_threads}}};
}

}  // namespace glia::cases
