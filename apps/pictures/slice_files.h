// The files that glia predict writes of a slice.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/pictures/pictures.h"
#include "engine/base/if_there.h"
#include "engine/data/dataset.h"
#include "engine/train/inference.h"

namespace glia {

struct SliceFilesConfig {
  std::filesystem::path out;  // which must be there
  double threshold = 0.5;
  Postprocess postprocess{};
  std::int64_t channel = 0;  // of the image, shown
  bool masks_only = false;   // no other pictures
  bool npy = false;          // also the probabilities
  IfThere if_there = IfThere::replace;
};

/// Draws, compresses and writes <id>_mask.png, _probability.png, _overlay.png and _triptych.png of
/// slices, on several threads, while the network works on a few more. The files are the same with
/// any number of threads.
class SliceFiles {
 public:
  SliceFiles(SliceFilesConfig config, int threads);

  /// What `add` writes of the slice `id`, and what `finish` may write.
  std::vector<std::string> names_of(const std::string& id) const;
  std::vector<std::string> names_of_all() const;

  /// `probability` is [height, width]. Writes once enough slices wait. Throws `Error` when the disk
  /// refuses or a slice has no such channel.
  void add(const std::string& id, Slice slice, std::vector<float> probability);
  /// Writes those that wait, and sheet.png of the first; to be called once, at the end.
  void finish();

  std::size_t slices() const { return slices_; }

 private:
  struct Waiting {
    std::string id;
    Slice slice;
    std::vector<float> probability;
  };

  Picture write(const Waiting& one) const;
  void flush();

  SliceFilesConfig config_;
  std::size_t threads_;
  std::vector<Waiting> waiting_;
  std::vector<Picture> sheet_;
  std::size_t slices_ = 0;
};

}  // namespace glia
