// Which of the slices that are evaluated the network has seen in its training.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/runs/provenance.h"

namespace glia {

/// Warnings about slices that were trained on or chose the best epoch, and patients that were
/// trained on. Slices are told by the hashes of their images, so that a copy under another name is
/// noticed and another slice of the same name is not accused; by their ids where the run in whose
/// folder the checkpoint lies kept no hashes, which the warning then says; a file of hashes that is
/// damaged has a warning of its own. Nothing where no run's lists lie. `info` is that of the
/// checkpoint.
std::vector<std::string> warn_of_seen_slices(const std::string& checkpoint,
                                             const nlohmann::json& info, const EvaluatedData& data);

}  // namespace glia
