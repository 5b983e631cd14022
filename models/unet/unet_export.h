// The U-Net in other programs' terms.
#pragma once

#include "engine/data/preprocess.h"
#include "engine/export/onnx.h"
#include "engine/formats/safetensors.h"
#include "models/unet/unet.h"

namespace glia {

/// Which U-Net has these tensors, by their names and shapes in PyTorch's layout. Dropout leaves no
/// trace in them and is 0. Throws `Error`, led by `file`, when there is none.
UNetConfig unet_config_of(const SafeTensors& weights, const std::string& file);

/// What stands before a U-Net's names in these: "module." of "module.encoder.0.conv1.weight"; empty
/// when nothing does.
std::string unet_name_prefix(const SafeTensors& weights);

/// The network of `config` with the values of `parameters`; see models/registry.h.
onnx::Graph unet_onnx(const UNetConfig& config, const nn::ParameterSet& parameters,
                      const Preprocess& preprocess);

}  // namespace glia
