// A file that grows beside its final place and takes it when it is whole.
#pragma once

#include <filesystem>

#include "engine/base/if_there.h"

namespace glia {

/// Until it is whole it has a hidden name, drawn at random, so that no two programs share one,
/// wherever they run, and it is locked: who finds one that is not knows that its maker is gone. The
/// first PartFile of a program in a folder removes what killed programs have left there; where a
/// file system has no locks, such remains stay.
class PartFile {
 public:
  /// Makes it. Throws `Error` naming `target`, with the system's reason.
  explicit PartFile(const std::filesystem::path& target);
  /// Removes it unless it was published.
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  int descriptor() const { return descriptor_; }
  /// Takes the place of `target`. Throws `WriteError` naming it when the system refuses, or when
  /// there is something and `if_there` refuses.
  void publish(IfThere if_there = IfThere::replace);

 private:
  std::filesystem::path target_, path_;
  int descriptor_ = -1;
};

/// Removes the files in `folder` that killed programs have not finished.
void remove_part_files(const std::filesystem::path& folder);

}  // namespace glia
