// Explanations from one backward pass. The network is taken as in evaluation.
#pragma once

#include <string>

#include "engine/explain/subject.h"

namespace glia::explain {

/// Grad-CAM for segmentation: ReLU(sum over k of a_k A_k), where A is what `layer` gives (as
/// `nn::Probe` names it) and a_k the mean over A's pixels of the target's gradient by A_k; enlarged
/// bilinearly to the image (Selvaraju et al., 2017; Vinogradova, Dibrov & Myers, 2020). Throws
/// `Error` listing the layers when there is none of that name.
std::vector<float> grad_cam(const Subject& subject, const std::string& layer);

/// The largest magnitude over the channels of the target's gradient by the image that the network
/// sees, after preprocessing (Simonyan, Vedaldi & Zisserman, 2014).
std::vector<float> saliency(const Subject& subject);

/// A map [height, width] at another size: linear in both directions between pixel centres, constant
/// beyond the outermost ones.
std::vector<float> resize_bilinear(const std::vector<float>& map, std::int64_t height,
                                   std::int64_t width, std::int64_t new_height,
                                   std::int64_t new_width);

}  // namespace glia::explain
