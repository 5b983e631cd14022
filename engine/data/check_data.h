// Looks through a data folder before training does, and collects everything that is wrong with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/patients.h"

namespace glia {

/// Range of the finite values of one image channel over the whole folder.
struct ValueRange {
  float low = 0, high = 0;
};

struct DataSummary {
  std::int64_t images = 0, masks = 0;  // found, readable or not
  std::int64_t without_tumour = 0;     // readable masks that are all background
  double tumour_share = 0;             // mean over the readable masks' pixels, 0 to 1
  std::map<std::string, std::int64_t> image_kinds, mask_kinds;  // "float32 [240, 240, 3]": count
  std::vector<ValueRange> channels;
};

struct DataReport {
  std::vector<Problem> problems, warnings;  // in the order of ids
  DataSummary summary;
  Patients patients;
};

/// Reads every file below `folder` and reports all problems at once: unreadable arrays, shapes,
/// label values, NaN and Inf, images and masks without their partner or of other sizes, sizes that
/// differ between slices, and byte-identical images of different patients. What may be right and is
/// unusual is a warning: constant channels, byte-identical images of one patient, masks that are
/// mostly tumour, images within 0 and 1 beside others that go far above, a `kSliceTable` that does
/// not say whose all slices are. `group_by` and `earlier` say that as in find_patients. Throws
/// `Error` only where `pair_files` does, and find_patients for those two.
DataReport check_data(const std::filesystem::path& folder, const std::string& group_by = "",
                      const std::vector<EarlierRule>& earlier = {});

}  // namespace glia
