// The flags that give an operation any shape: --shape and what goes with it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/cases/cases.h"

namespace glia {

struct ShapeOptions {
  void add_to(CLI::App& command);
  /// Whether there is a --shape. Throws `Error` where another of the flags lacks one.
  bool given() const;
  /// What the flags say. Throws `Error` naming the flag that says nothing sensible, or that none of
  /// the operations takes.
  cases::Dimensions parse(const std::vector<std::string>& operations) const;
  /// "6x57x61x33 --kernel 3x3x48": the flags as they were given.
  std::string text() const;

 private:
  std::string shape_, kernel_, stride_, padding_ = "0";
  cases::Dimensions numbers_;           // window, factor and groups
  const CLI::Option* given_ = nullptr;  // --shape
  std::vector<std::pair<cases::Dimension, const CLI::Option*>> options_;
};

/// The flags of an operation at any shape: "--shape NxHxWxC --kernel RxSxK [--stride S]"; "" where
/// it has none.
std::string shape_flags(const cases::Operation& operation);

}  // namespace glia
