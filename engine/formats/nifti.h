// NIfTI volumes of one file, .nii or .nii.gz.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "engine/base/if_there.h"
#include "engine/formats/nifti_header.h"

namespace glia {

struct NiftiVolume {
  NiftiHeader header;
  std::vector<float> values;  // [channels, k, j, i], scaled by slope and intercept
};

/// Whether the name ends in .nii or .nii.gz, in any case of letters.
bool is_nifti_name(const std::filesystem::path& path);

/// Throws `Error`, led by `name`, where parse_nifti_header does, when there are fewer or more bytes
/// than the header says, and when a packed file is damaged.
NiftiVolume decode_nifti(std::string_view bytes, const std::string& name);

/// The same of a file on disk.
NiftiVolume read_nifti(const std::filesystem::path& path);

/// The header alone, without unpacking the rest. Throws `Error` where parse_nifti_header does.
NiftiHeader read_nifti_header(const std::filesystem::path& path);

/// Writes a mask [k, j, i] that lies where `like` does, packed (.nii.gz). Throws `Error` when the
/// number of voxels differs or the disk refuses.
void write_nifti_mask(const std::filesystem::path& path, const NiftiHeader& like,
                      std::span<const std::uint8_t> mask, IfThere if_there = IfThere::replace);

}  // namespace glia
