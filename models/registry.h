// What can be done with a model by the name in its configuration alone, so that a checkpoint can be
// opened, or a file of weights read, without knowing what is in it.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "engine/data/preprocess.h"
#include "engine/export/onnx.h"
#include "engine/formats/safetensors.h"
#include "engine/nn/model.h"

namespace glia {

/// Builds the model that `config` (from `Model::config`) describes; its parameters are not yet
/// allocated. Throws `Error` when the name is unknown or a field is wrong.
std::unique_ptr<nn::Model> make_model(const nlohmann::json& config);

/// The configuration of the model that has tensors of these names and shapes, in PyTorch's layout.
/// Throws `Error`, led by `file`, when it is none that this program knows.
nlohmann::json config_of_weights(const SafeTensors& weights, const std::string& file);

/// Takes away what stands before all names alike, as wrappers of a network leave it ("module.",
/// "state_dict."), and returns it; empty when the names are those of a model as they are. Throws
/// `Error`, led by `file`, when only some names have it.
std::string unwrap_names(SafeTensors& weights, const std::string& file);

/// `model` as an ONNX graph. Input "image" [N,C,H,W] of any size; preprocessing, padding and
/// cropping are part of the graph, as in engine/train/predict.h. Outputs "logits" and "probability"
/// [N,1,H,W].
onnx::Graph onnx_graph(nn::Model& model, const Preprocess& preprocess);

}  // namespace glia
