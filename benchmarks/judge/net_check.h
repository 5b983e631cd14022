// The gradients of whole networks: what the tape gives on a backend, beside central differences of
// the loss of the same network in float64. All weights move together along directions of 1 and -1;
// where the network's gradient is wrong, each parameter moves by itself, which names the wrong
// ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/api/table.h"
#include "models/unet/unet.h"

namespace glia::test {

struct NetCase {
  UNetConfig config;
  std::int64_t batch = 1, height = 48, width = 80;

  /// "depth-2 batch-1 transpose batch-norm"
  std::string name() const;
};

struct NetRow {
  std::string net;
  std::size_t parameters = 0;  // tensors
  /// Relative: root mean square over the directions.
  double error = 0, bound = 0;
  int directions = 0;  // none: each parameter moved by itself, since every direction crossed a kink
  int skipped =
      0;  // directions along which a ReLU or a maximum changes sides; others took their place
  /// Weights and images that were tried. Of 100,000 activations one may be so near 0 that float32
  /// and float64 take different sides of its kink, and then have different gradients, both right.
  /// So a network counts as wrong where it is at three starts; a wrong formula is, at each.
  int starts = 1;
  std::vector<std::string> wrong{};  // parameters, in the order of the network
  std::string common{};              // what they have in common

  double share() const { return error / bound; }
  bool right() const { return error <= bound; }
};

/// Depths 2 and 4, batches of 1 and 3, both ways up, all norms; of these the ones whose names have
/// all `words`. Throws `Error` naming a word that no name has.
std::vector<NetCase> net_cases(std::span<const std::string> words = {});

/// Throws `Error` where the backend cannot run the network.
NetRow check_net(const NetCase& one, const KernelTable& kernels);

}  // namespace glia::test
