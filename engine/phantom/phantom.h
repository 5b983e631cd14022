// Synthetic brain-like MR slices with tumour masks, in the layout of the real data: for the demo,
// the tests and whoever has no patients' data. See docs/phantom.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "engine/data/dataset.h"

namespace glia {

/// Slices of one patient have the ids 20·patient ... 20·patient + slices − 1.
inline constexpr std::int64_t kIdsPerPatient = 20;

struct PhantomConfig {
  std::int64_t patients = 12;
  std::int64_t slices = 8;  // a patient, at most kIdsPerPatient
  std::int64_t size = 240;  // pixels a side, over a field of view of 240 mm
  std::uint64_t seed = 1;
};

/// The slices of one patient, bottom to top: images [size, size, 3] (FLAIR, T1, T1 with contrast
/// agent), z-scored per channel over the patient's volume, air included; masks [size, size].
/// A pure function of its arguments.
std::vector<Slice> make_phantom_patient(const PhantomConfig& config, std::int64_t patient);

/// Writes all patients into `folder` as <id>_img.npy (float32) and <id>_seg.npy (uint8), and the
/// parameters as phantom.json. `threads` only affects speed; `on_patient` is called, one call at a
/// time, with the number of patients that are done. With `overwrite`, the files that a
/// phantom.json in `folder` accounts for are removed first. Throws `Error` on parameters out of
/// range, on a folder with other content, and when the disk refuses.
void write_phantom(const std::filesystem::path& folder, const PhantomConfig& config, bool overwrite,
                   int threads, const std::function<void(std::int64_t)>& on_patient);

}  // namespace glia
