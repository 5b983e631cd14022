// The roofline as a picture: each kernel's arithmetic rate over its operations a byte, under the
// lines that memory and arithmetic allow.
#pragma once

#include <string>

#include "benchmarks/suite/report.h"

namespace glia::bench {

/// A self-contained SVG. Convolutions are labelled with their layer, everything else with its
/// operation, where there is room; every mark says all of it when the pointer rests on it. Throws
/// `Error` when the peaks are not known.
std::string roofline_svg(const Report& report);

}  // namespace glia::bench
