// In what the convolutions of a device can multiply, and which of that is taken.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "kernels/api/table.h"

namespace glia {

/// What these kernels can be asked for on this machine, their default first.
std::vector<ConvPrecision> precisions_of(const KernelTable& kernels);

/// A precision was asked for that the device's convolutions do not have.
class UnsupportedPrecision : public Error {
 public:
  UnsupportedPrecision(const std::string& text, std::string why, std::string elsewhere)
      : Error(text), why_(std::move(why)), elsewhere_(std::move(elsewhere)) {}
  /// "is for GPUs, and the device is cpu with --backend native".
  const std::string& why() const { return why_; }
  /// Where it can be had: "--device cuda or --backend emu".
  const std::string& elsewhere() const { return elsewhere_; }

 private:
  std::string why_, elsewhere_;
};

/// `asked`, or the kernels' default where that is left open. `device` is what messages call it.
/// Throws `UnsupportedPrecision`.
ConvPrecision take_precision(const KernelTable& kernels, std::optional<ConvPrecision> asked,
                             const std::string& device);

}  // namespace glia
