// The figures that the seed project published: what a study of Glia is shown beside.
#pragma once

#include <array>

namespace glia::sweep {

struct Published {
  double x, val_loss, val_iou;
};

/// By batch size, after 2 epochs.
inline constexpr std::array kPublishedByBatch = {
    Published{4, 0.6123, 0.5912}, Published{6, 0.5228, 0.6172}, Published{12, 1.021, 0.3765}};

/// By epoch, with batches of 6.
inline constexpr std::array kPublishedByEpoch = {
    Published{1, 0.5228, 0.6172}, Published{2, 0.4552, 0.6542}, Published{3, 0.3945, 0.69},
    Published{4, 0.3985, 0.6873}, Published{5, 0.3622, 0.7111}};

inline constexpr const char* kPublishedNote =
    "“published” are the seed project's own values: one run each, with its own network, on its own "
    "data, split by slice, so that slices of one patient stood on both sides, which flatters. They "
    "show the shape of its figures and are not comparable with this study one to one. Its pair "
    "0.5228 and 0.6172 stands both after 2 epochs of batch 6 and after epoch 1, so its count of "
    "epochs is not certain.";

}  // namespace glia::sweep
