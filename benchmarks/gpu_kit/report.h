// A run of the kit as people read it: tables on the terminal, and a page with the roofline and the
// ladder of whole steps.
#pragma once

#include <string>

namespace glia::kit {

/// Prints the tables of `folder`/results.json and writes `folder`/report.html. With `results`, a
/// folder, also keeps results.json there under a name of its date and GPU. Throws `Error` naming
/// the file that is missing or damaged.
void report(const std::string& folder, const std::string& results);

}  // namespace glia::kit
