// A study as files: for programs and spreadsheets.
#pragma once

#include <string>

#include "engine/sweep/study.h"

namespace glia::sweep {

/// study.json: the grid, every trial with its epochs, the means, the published values, provenance.
std::string study_json(const Study& study);

/// trials.csv: a row a trial and epoch; a trial without an epoch has one row with empty cells.
std::string trials_csv(const Study& study);

}  // namespace glia::sweep
