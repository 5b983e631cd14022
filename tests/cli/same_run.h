// Two run folders with the same bits, and runs that are stopped on the way.
#pragma once

#include <functional>
#include <string>

namespace glia {

/// Checks that weights, optimizer states and metrics, but for the seconds, are the same.
void check_same_run(const std::string& a, const std::string& b);

/// True once the run has a checkpoint newer than `count` changes of its file.
std::function<bool()> after_checkpoints(const std::string& run, int count);

}  // namespace glia
