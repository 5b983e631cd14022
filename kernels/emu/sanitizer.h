// AddressSanitizer's and UndefinedBehaviorSanitizer's findings in kernels, as errors of the launch.
// Without the sanitizers there are none.
#pragma once

#include <string>

namespace glia::emu {

/// From now on findings are kept. They end the launch, not the program, where the kernels were
/// built with -fsanitize-recover and ASAN_OPTIONS has halt_on_error=0.
void keep_sanitizer_reports();
/// Whether there is one since.
bool has_sanitizer_report();
/// The first of what was kept, and how many there were; empty when none. Clears them.
std::string take_sanitizer_reports();

}  // namespace glia::emu
