// What an import leaves beside its slices: a table of where each came from, and a record of how.
#pragma once

#include "engine/import/import.h"

namespace glia {

struct SliceRow {
  std::string id, group;
  std::int64_t slice = 0;   // in its volume, from 0; of a picture the number that ends its name
  std::string image, mask;  // below the data folder; several files have a semicolon between
  double row_mm = 0, column_mm = 0;  // 0 when unknown
};

/// A CSV table (RFC 4180) with a header line.
void write_slice_table(const std::filesystem::path& file, const std::vector<SliceRow>& rows);

/// JSON: the settings, the counts, what was left alone.
void write_import_record(const std::filesystem::path& file, const ImportConfig& config,
                         const ImportSummary& summary);

}  // namespace glia
