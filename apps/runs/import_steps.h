// What glia import did to the pictures that a network was trained on, so that a picture which was
// not imported is treated likewise. Training copies it from the data folder into the checkpoint.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/formats/stack.h"
#include "engine/import/resample.h"

namespace glia {

struct ImportSteps {
  StackOptions stack;
  std::optional<Size> resize, pad_to;  // see Fit
  bool stretch = false;

  /// The settings in `folder`'s import.json that concern images, as a checkpoint keeps them; null
  /// where there is no such file. Throws `Error` naming it when it is damaged.
  static nlohmann::json of_folder(const std::filesystem::path& folder);
  /// Those of a checkpoint's `info`; no steps where it has none. Throws `Error` when one is
  /// damaged.
  static ImportSteps of_checkpoint(const nlohmann::json& info);

  /// Whether a slice may come to another size.
  bool resizes() const { return resize || pad_to; }
  /// "channels 0 2, resized to 240 x 240"; empty where nothing changes an image.
  std::string str() const;

  /// Throws `Error`, led by `name`, where one slice of the size that they bring all slices to takes
  /// more memory than there is; `advice` says how to mend it.
  void check_room(const std::string& name, const std::string& advice) const;

  /// One slice of a file as import would have stored it.
  Slice apply(std::span<const float> image, Size size, std::int64_t channels) const;
  /// A map of the stored slice as one of the original, [size.height, size.width].
  std::vector<float> undo(const std::vector<float>& map, Size size) const;
};

}  // namespace glia
