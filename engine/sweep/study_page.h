// A study as a page.
#pragma once

#include <string>

#include "engine/sweep/study.h"

namespace glia::sweep {

/// Charts of means and spreads, their table, every trial, what failed, where it comes from and what
/// it does not say. While the study runs, a browser loads it again every few seconds.
std::string study_html(const Study& study);

}  // namespace glia::sweep
